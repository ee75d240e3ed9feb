"""A DynamoDB that has what it is given, takes every write and keeps none, in a process of its own.

So what is measured is the client's time alone, and the same call can be made again.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any
from zlib import crc32

type Item = Mapping[str, Any]
# By table, and in it by the values of the key: an order's ID, or those of both its attributes with a blank between.
type Tables = Mapping[str, Mapping[str, Item]]

# Clients sign with them; nobody checks.
ACCESS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def loopback_dynamodb(tables: Tables) -> Iterator[str]:
    """Its endpoint."""
    processes = get_context("spawn")
    ours, its = processes.Pipe()
    process = processes.Process(target=_serve, args=(tables, its), daemon=True)
    process.start()
    its.close()  # so that `recv` ends if the process does
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(tables: Tables, parent: Connection) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.dumps(_answer(tables, operation, asked), ensure_ascii=False).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amz-crc32", str(crc32(body)))  # which clients check
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    parent.send(server.server_port)
    server.serve_forever()


def _answer(tables: Tables, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError for what neither downloads nor verdicts ask for."""
    match operation:
        case "BatchGetItem":
            responses = {
                table: [item for key in wanted["Keys"] if (item := tables[table].get(_values(key)))]
                for table, wanted in asked["RequestItems"].items()
            }
            return {"Responses": responses, "UnprocessedKeys": {}}
        case "BatchWriteItem":
            return {"UnprocessedItems": {}}
        case "GetItem":
            return {"Item": tables[asked["TableName"]][_values(asked["Key"])]}
        case "UpdateItem":
            return {}
        case "Query":
            return {"Items": [], "Count": 0, "ScannedCount": 0}
    raise ValueError(operation)


def _values(key: Item) -> str:
    return " ".join(value["S"] for value in key.values())
