"""The rules that a dataset can break: one stable id each, with a summary and the usual remedy.

A profile picks rules by id and gives each one its severity (`profile.py`); what a profile does not name, it
does not check. The ids are an interface: reports, `--json` and documentation use them.
"""

from __future__ import annotations

from dataclasses import dataclass

# Bounds of the program itself, not of Bedrock: they keep a hostile file from filling the memory.
MAX_LINE_BYTES = 256 * 1024**2
MAX_INSPECTED_BYTES = 16 * 1024**2  # plain Python values take up to 40 times the bytes of their JSON

# https://github.com/aws-samples/amazon-bedrock-samples, custom-models/model_distillation/dataset-validation
MAX_FILE_BYTES = 1024**3
# The longest line that AWS's guide to distilling Nova names; "180 KB" is read in its stricter sense.
LARGE_LINE_BYTES = 180_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong: a stable `id`, what it means, and what to do about it."""

    id: str
    summary: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule at a JSON path of one line, or of the file. `fix` replaces the rule's own remedy.

    `message` never quotes the dataset's text.
    """

    rule: str
    path: str
    message: str
    fix: str = ""


_ALL_RULES = (
    # The file
    Rule("file_name", "the file is not named .jsonl", "Give the dataset a name that ends in .jsonl."),
    Rule(
        "compressed", "the file is compressed", "Unpack it before it is uploaded: Bedrock reads plain .jsonl."
    ),
    Rule("gzip_damaged", "the compressed data is damaged or cut short", "Make or copy the file again."),
    Rule(
        "unpacked_size",
        "the compressed file unpacks to far more than a dataset may hold",
        "Split the dataset into smaller parts.",
    ),
    Rule("file_size", "the file is larger than a job takes", "Keep fewer or shorter conversations."),
    Rule("empty_file", "the file has no lines", "Check that the export selected anything."),
    Rule(
        "too_few_lines",
        "there are fewer valid lines than a job needs",
        "Select more pairs (a wider filter or time span), or repair the lines named here.",
    ),
    Rule(
        "too_many_lines",
        "there are more lines than a job takes",
        "Keep a part of the lines, for example with --max.",
    ),
    # The line
    Rule(
        "bom", "the line starts with a byte order mark", "Save the file as UTF-8 without a byte order mark."
    ),
    Rule("not_utf8", "the bytes are not UTF-8", "Write the file again with the encoding UTF-8."),
    Rule("blank_line", "the line is blank", "Remove the line."),
    Rule(
        "carriage_return",
        "a carriage return stands inside the line",
        "Write the object without line breaks; some readers end a line at a carriage return.",
    ),
    Rule(
        "line_size",
        "the line is longer than 180 KB",
        "Shorten or drop it: AWS names 180 KB as the longest line.",
    ),
    Rule(
        "line_too_long",
        "the line is too long to check",
        "Remove the line; no model takes a text of that size.",
    ),
    Rule("not_json", "the line is not one JSON value", "Put one complete JSON object on each line."),
    Rule(
        "too_deep",
        "the JSON is nested too deep to read",
        "Remove the nested value; no format is that deep.",
    ),
    Rule(
        "duplicate_key",
        "an object has the same key twice",
        "Keep one of them; readers differ in which they take.",
    ),
    Rule("non_finite_number", "NaN or Infinity is no JSON", "Remove the number, or write null or a text."),
    Rule(
        "lone_surrogate",
        "an escape stands for half a character",
        "Remove the unpaired \\uD800 to \\uDFFF escape; it can't be written as UTF-8.",
    ),
    Rule(
        "duplicate_line",
        "the line is the same as an earlier one",
        "Keep one; a repeated example counts twice in training.",
    ),
    # The conversation
    Rule("wrong_type", "a value has the wrong JSON type", "Use the type that the message names."),
    Rule("missing_key", "a required key is missing", "Add the key."),
    Rule("unknown_key", "a key is not part of the format", "Remove the key with its value."),
    Rule(
        "schema_version",
        "schemaVersion is not the constant of the format",
        'Write "schemaVersion": "bedrock-conversation-2024".',
    ),
    Rule(
        "system_items",
        "system does not hold exactly one item",
        "Give one text item, or leave the key `system` out.",
    ),
    Rule(
        "message_count",
        "the number of messages does not fit",
        "Keep one user message and at most one assistant message; only Amazon Nova takes more turns.",
    ),
    Rule("content_items", "content does not hold the right number of items", "Join the texts into one item."),
    Rule(
        "unknown_role",
        "the role is neither user nor assistant",
        'Use "user" or "assistant"; instructions go to `system`.',
    ),
    Rule(
        "role_order",
        "the roles do not alternate from user on",
        "Start with a user message and let user and assistant take turns; join neighbours of one role.",
    ),
    Rule(
        "last_role",
        "the conversation does not end as it must",
        "End it with the answer that is to be learned.",
    ),
    Rule("blank_text", "a text is blank", "Give the text, or leave the whole line out."),
    Rule(
        "reserved_word",
        "a text has a word that Amazon Nova reserves",
        "Reword the text without System: User: Bot: Assistant: Thought: [EOS] <image> <video> <unk>.",
    ),
    Rule(
        "forbidden_text",
        "a text has words that the model keeps for itself",
        "Reword the line that begins with Human: or Assistant:.",
    ),
    Rule("text_length", "a text is too short or too long", "Rewrite the text, or leave the line out."),
    Rule(
        "too_many_tokens",
        "a line has more tokens than the model takes, by an estimate",
        "Shorten the texts, or leave the line out.",
    ),
    Rule("duplicate_id", "an id is given to two lines", "Give each line an id of its own."),
    Rule("bad_value", "a value is not one of those allowed", "Use a value that the message names."),
    # Media
    Rule(
        "media_format",
        "a medium has a format that the model does not take",
        "Convert it to a format that the message names.",
    ),
    Rule(
        "media_place",
        "a medium stands where none may be",
        "Keep media in user messages, for models that see.",
    ),
    Rule("media_count", "a line has too many media", "Leave some out, or make several lines of it."),
    Rule(
        "media_uri",
        "a medium is not named as an S3 object",
        "Put it into S3 and write s3://bucket/key with letters, digits and _ - / . in the key.",
    ),
    # Tools and reasoning
    Rule(
        "tool_place",
        "a tool call or result stands in the wrong message",
        "Put calls into assistant messages and results into user messages.",
    ),
    Rule("tool_id", "tool calls and results do not match", "Give each call one id, and its result the same."),
    Rule(
        "tool_name",
        "a tool is called that was not offered",
        "Name it in toolConfig, or correct the name.",
    ),
    Rule(
        "reasoning_place",
        "reasoning stands where it may not be",
        "Keep reasoning in the answers of Nova 2 Lite, and leave it out for other models.",
    ),
    # The records of a log
    Rule("not_a_record", "it can't be read as a log record", "Nothing to mend: it is no pair."),
    Rule("failed_call", "the call failed, and the record has no answer", "Nothing to mend: it is no pair."),
    Rule(
        "body_elsewhere",
        "the body lies in an object of its own, or was not logged",
        "Whether a job follows the path is not documented; `logminer export` does.",
    ),
    Rule(
        "not_text_in_and_out",
        "the record is not text in and text out",
        "Nothing to mend: distillation takes text alone.",
    ),
    Rule(
        "unknown_body",
        "the bodies have no known shape",
        "See which model logged it; a job may not read it either.",
    ),
    Rule(
        "several_turns",
        "the prompt has several user turns, and this teacher takes one",
        "Export the conversations with logminer, which can choose turns.",
    ),
    Rule(
        "unusable_answer",
        "the answer is cut off, blocked, empty or a tool call",
        "Leave it out: select with logminer, which keeps pairs alone.",
    ),
    Rule(
        "unusable_prompt",
        "the prompt is blank or does not start with a user turn",
        "Leave it out: select with logminer, which keeps pairs alone.",
    ),
    Rule(
        "other_model",
        "the record is another model's than the teacher's",
        "With usePromptResponse a job takes the teacher's pairs alone.",
    ),
)

RULES = {rule.id: rule for rule in _ALL_RULES}
assert len(RULES) == len(_ALL_RULES), "a rule id is taken twice"
