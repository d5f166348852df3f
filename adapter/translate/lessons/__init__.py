"""What refusals teach: a lesson per subject, each from the words of a refusal to other facts.

A lesson looks at what was sent and at what was said, and answers with a dialect that avoids the
refusal, or with None if it has nothing to say. Together they are `LESSONS`, and the first that has
something to say counts: what names one thing precisely comes before what goes by plain words.
"""

from adapter.translate.lessons.fields import (
    named_fields,
    output_limit,
    pointed_fields,
    strict_schemas,
)
from adapter.translate.lessons.formats import json_word, response_format
from adapter.translate.lessons.grammars import grammar
from adapter.translate.lessons.media import image_urls, parts
from adapter.translate.lessons.messages import MESSAGE_LESSONS, developer_role
from adapter.translate.lessons.numbers import fixed_number, number_range, one_of_two
from adapter.translate.lessons.reasoning import effort, replay
from adapter.translate.lessons.tools import TOOL_LESSONS, schema_keyword, tool_choice
from adapter.translate.refusal import Lesson

__all__ = ["LESSONS"]

LESSONS: tuple[Lesson, ...] = (
    developer_role,
    output_limit,
    grammar,
    strict_schemas,
    json_word,
    response_format,
    tool_choice,
    replay,
    schema_keyword,
    effort,
    one_of_two,
    fixed_number,
    number_range,
    pointed_fields,
    *MESSAGE_LESSONS,
    *TOOL_LESSONS,
    image_urls,
    parts,
    named_fields,
)
