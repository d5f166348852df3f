"""A picture of one dot."""

import base64

from tests.clients.upstream.scenes import PROMPTS

DOT = base64.b64decode(PROMPTS["image"].partition(",")[2])
