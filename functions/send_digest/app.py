"""Daily schedule -> digest of new, healed and waiting orders -> its topic."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.environment import DigestEnvironment, OrderTables
from needs_attention.jobs.digest import Measurements, digest
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times

dynamodb = aws.client("dynamodb")
sns = aws.client("sns")
tables, digests = OrderTables.from_env(), DigestEnvironment.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
measurements = Measurements(aws.client("cloudwatch"), digests.powertools_metrics_namespace)
logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(_: dict[str, Any], __: LambdaContext) -> None:
    """Raises every error: Lambda tries twice more, and an alarm says that no digest was sent."""
    mail = digest(orders, integrations, downloads, measurements, times.utc_now())
    sns.publish(TopicArn=digests.digest_topic, Subject=mail.subject, Message=mail.text)
    logger.info("sent digest", subject=mail.subject)
