"""The property that breaks without each rule, and the length of the shortest history. One act of people is enough."""

from tests.model.search import Break

BREAKS = {
    "dl_cond": Break("S4", 4, "upon completion", 0, bound="tests"),
    "edit_cond": Break("S8", 5, "upon completion, Auto Dispatch", 0, bound="tests"),
    "sync": Break("S3", 5, "upon completion", 0, bound="tests"),
    "state_heal": Break("L3", 7, "upon completion", 0, bound="tests"),
    "pend_closed": Break("S1a", 5, "upon completion, Auto Dispatch", 6, bound="tests"),
    "recall": Break("S1p", 6, "upon completion, Auto Dispatch", 6, bound="tests"),
    "shipped_row": Break("L5", 6, "now", 9, bound="tests"),
    "gate_all": Break("S1c", 4, "upon completion, Auto Dispatch", 0, bound="tests"),
    "gate_status": Break("L5", 4, "upon completion", 4, bound="tests"),
    "manual_hold": Break("S9", 4, "upon completion, Auto Dispatch", 0, bound="tests"),
    "red_closes": Break("S7", 4, "upon completion", 0, bound="tests"),
    "sweep": Break("L1", 3, "upon completion", 0, bound="tests"),
    "claim": Break("S1f", 6, "upon completion, Auto Dispatch", 6, bound="tests"),
}
