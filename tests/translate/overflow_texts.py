"""What servers say of a prompt that does not fit, and what only sounds like it.

Source: those of `adapter.translate.overflow`; each text is one that the server named has sent.
"""

# (who says it, what)
OVERFLOWS = [
    (
        "OpenAI",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in "
        "149767 tokens. Please reduce the length of the messages.",
    ),
    (
        "OpenAI, with the completion",
        "This model's maximum context length is 8192 tokens, however you requested 9000 tokens "
        "(8000 in your prompt; 1000 for the completion). Please reduce your prompt; or completion "
        "length.",
    ),
    (
        "OpenAI Responses",
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again.",
    ),
    (
        "Azure",
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
        "509178 tokens. Please reduce the length of the messages.",
    ),
    (
        "vLLM 0.32",
        "This model's maximum context length is 2048 tokens. However, your prompt contains at "
        "least 2049 input tokens, which exceeds this limit even without any output tokens. Please "
        "reduce the length of the input prompt. (parameter=input_tokens, value=2049)",
    ),
    (
        "vLLM, with the output",
        "This model's maximum context length is 128000 tokens. However, you requested 65535 output "
        "tokens and your prompt contains at least 62466 input tokens, for a total of at least "
        "128001 tokens. Please reduce the length of the input prompt or the number of requested "
        "output tokens.",
    ),
    (
        "vLLM, in characters",
        "This model's maximum context length is 32768 tokens. However, you requested 4096 output "
        "tokens and your prompt contains 200000 characters (more than 130688 characters, which is "
        "the upper bound for 28672 input tokens).",
    ),
    (
        "vLLM 0.11",
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context "
        "length is 32768 tokens and your request has 29000 input tokens (4096 > 32768 - 29000).",
    ),
    (
        "vLLM, with separators",
        "'max_tokens' is too large: 2,000. This model's maximum context length is 1,000,000 tokens "
        "and your request has 999,500 input tokens (2,000 > 1,000,000 - 999,500).",
    ),
    (
        "vLLM, in the engine",
        "The decoder prompt (length 5951) is longer than the maximum model length of 4096. Make "
        "sure that `max_model_len` is no smaller than the number of text tokens.",
    ),
    (
        "vLLM, with images",
        "The prompt (total length 25938) is too long to fit into the model (context length 4096). "
        "Make sure that `max_model_len` is no smaller than the number of text tokens plus "
        "multimodal tokens.",
    ),
    (
        "SGLang",
        "The input (12010 tokens) is longer than the model's context length (2048 tokens).",
    ),
    (
        "SGLang, with the completion",
        "Requested token count exceeds the model's maximum context length of 131072 tokens. You "
        "requested a total of 140000 tokens: 130000 tokens from the input messages and 10000 "
        "tokens for the completion.",
    ),
    (
        "SGLang, in the scheduler",
        "Input length (12010 tokens) exceeds the maximum allowed length (2042 tokens). Use a "
        "shorter input or enable --allow-auto-truncate.",
    ),
    (
        "TGI",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 131073. Given: "
        "600035 `inputs` tokens and 16 `max_new_tokens`",
    ),
    (
        "TGI, the input alone",
        "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
    ),
    (
        "llama.cpp",
        "request (12010 tokens) exceeds the available context size (2048 tokens), try increasing "
        "it",
    ),
    (
        "llama.cpp, older",
        "the request exceeds the available context size. try increasing the context size or "
        "enable context shift",
    ),
    ("llama.cpp, in a stream", "Context size has been exceeded."),
    (
        "llama-cpp-python",
        "This model's maximum context length is 512 tokens, however you requested 600 tokens (472 "
        "in your prompt; 128 for the completion).",
    ),
    ("Ollama", "prompt too long; exceeded max context length by 100918 tokens"),
    ("Ollama, runner", "the input length exceeds the context length"),
    (
        "Ollama Cloud, Fireworks",
        "The prompt is too long: 262960, model maximum context length: 262144",
    ),
    (
        "LM Studio",
        "The number of tokens to keep from the initial prompt is greater than the context length "
        "(n_keep: 10978 >= n_ctx: 8192). Try to load the model with a larger context length, or "
        "provide a shorter input",
    ),
    (
        "LM Studio, older",
        "Trying to keep the first 6000 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens, which is not enough.",
    ),
    (
        "LM Studio, in a stream",
        "Reached context length of 4096 tokens with model (arch: gpt-oss) that does not currently "
        "support mid-generation context overflow",
    ),
    (
        "TensorRT-LLM",
        "The sum of prompt length (4000) and query length (0) max_tokens (2048) should not exceed "
        "max_seq_len (4096)",
    ),
    (
        "TensorRT-LLM, in a batch",
        "The sum of prompt length (9351.0), query length (0) should not exceed max_num_tokens "
        "(8192)",
    ),
    (
        "TensorRT-LLM on Triton",
        "Cannot process new request: Prompt length (5056) exceeds maximum sequence length (2048)",
    ),
    (
        "ds4",
        "Prompt has 5,958,968 tokens, but the configured context size is 256,000 tokens",
    ),
    ("Anthropic", "prompt is too long: 213462 tokens > 200000 maximum"),
    (
        "Anthropic, with the output",
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease "
        "input length or `max_tokens` and try again",
    ),
    ("Anthropic, through gateways", "Request size exceeds model context window"),
    (
        "Gemini",
        "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    ),
    (
        "Gemini, without the count",
        "The input token count exceeds the maximum number of tokens allowed (65536).",
    ),
    (
        "Mistral",
        "Prompt contains 170397 tokens and 0 draft tokens, too large for model with 131072 maximum "
        "context length",
    ),
    (
        "Groq",
        "Please reduce the length of the messages or completion.",
    ),
    (
        "Cerebras",
        "Please reduce the length of the messages or completion. Current length is 9000 while "
        "limit is 8192",
    ),
    (
        "Together",
        "Input token count + max_tokens parameter must be less than the context length of the "
        "model being queried.",
    ),
    (
        "DeepSeek",
        "This model's maximum context length is 131072 tokens. However, you requested 1008004 "
        "tokens (1000004 in the messages, 8000 in the completion). Please reduce the length of the "
        "messages or completion.",
    ),
    (
        "Kimi",
        "Invalid request: Your request exceeded model token limit: 262144 (requested: 291351)",
    ),
    (
        "Qwen (DashScope)",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
    ),
    ("GLM", "Prompt exceeds max length"),
    ("GLM, in Chinese", "Prompt 超长"),
    ("GLM, newer", "[1261][Prompt too long][2026092913]"),
    ("MiniMax", "invalid params, context window exceeds limit (2013)"),
    ("Volcengine Ark", "Input length 203743 exceeds the maximum length 202752"),
    (
        "SiliconFlow",
        "length of prompt_tokens (140000) must be less than max_seq_len (131072).",
    ),
    ("Novita", "Token limit exceeded"),
    (
        "Novita, newer",
        "The input is longer than the model's context length trace_id: 39d8c3a5",
    ),
    ("DeepInfra", "Requested input length 600010 exceeds maximum input length 131071"),
    ("Huawei", "超出了模型最大token限制。"),
    ("a Chinese gateway", "输入内容超过模型最大上下文长度"),
    ("Baidu", "Prompt tokens too long"),
    (
        "OpenRouter",
        "This endpoint's maximum context length is 131072 tokens. However, you requested about "
        "148000 tokens (130000 of text input, 18000 in the output). Please reduce the length of "
        'either one, or use the "middle-out" transform to compress your prompt automatically.',
    ),
    (
        "OpenRouter, Poolside",
        "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
    ),
    (
        "xAI",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    ),
    (
        "Cohere",
        "too many tokens: total number of tokens in the prompt cannot exceed 8192 - received 9000.",
    ),
    ("Bedrock", "Input is too long for requested model."),
    (
        "Bedrock, Nova",
        "The model returned the following errors: Input Tokens Exceeded: Number of input tokens "
        "exceeds maximum length. Please update the input to try again.",
    ),
    (
        "Bedrock, Llama",
        "The model returned the following errors: This model's maximum context length is 131072 "
        "tokens. Please reduce the length of the prompt",
    ),
    ("GitHub Copilot", "prompt token count of 140000 exceeds the limit of 128000"),
    ("GitHub Models", "Request body too large for gpt-4o model. Max size: 8000 tokens."),
    ("Cloudflare", "The estimated number of tokens exceeded this model context window limit"),
    (
        "LiteLLM",
        "litellm.BadRequestError: The input exceeds the model's maximum context limit of 8192 "
        "tokens.",
    ),
    ("Reka", "The total length of all messages is too long."),
]

# A rate limit, an output limit, or something else that is said with the same words.
OTHERS = [
    (
        "OpenAI, tokens a minute",
        "Request too large for gpt-5-nano in organization org-x on tokens per min (TPM): Limit "
        "200000, Requested 480002. The input or output tokens must be reduced in order to run "
        "successfully.",
    ),
    (
        "Groq, tokens a minute",
        "Request too large for model `llama-3.1-8b-instant` in organization `org_x` service tier "
        "`on_demand` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce your "
        "message size and try again.",
    ),
    ("Bedrock's throttling", "Too many tokens, please wait before trying again."),
    ("Bedrock's throttling, named", "ThrottlingException: Too many tokens"),
    ("a limit per day", "Too many tokens per day, please wait before trying again."),
    (
        "Kimi, tokens a day",
        "request reached organization TPD rate limit, current: 1506556, limit: 1500000",
    ),
    ("a key's quota", "Too many tokens: this key's daily quota is used up."),
    ("Novita, at its limit", "Token limit exceeded, please try again later."),
    (
        "Anthropic, tokens a minute",
        "This request would exceed your organization's rate limit of 30,000 input tokens per "
        "minute.",
    ),
    ("a server that sheds load", "maximum context length is temporarily reduced"),
    (
        "OpenAI, the output",
        "max_tokens is too large: 200000. This model supports at most 64000 completion tokens, "
        "whereas you provided 200000.",
    ),
    (
        "Anthropic, the output",
        "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for "
        "claude-sonnet-4-5",
    ),
    (
        "Gemini, the output",
        "Unable to submit request because it has a maxOutputTokens value of 100000 but the "
        "supported range is from 1 (inclusive) to 65537 (exclusive).",
    ),
    ("Qwen, the output", "Range of max_tokens should be [1, 8192]"),
    (
        "DeepSeek, the output",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    ),
    (
        "Volcengine Ark, the output",
        "The parameter `max_tokens` specified in the request are not valid: integer above maximum "
        "value, expected a value <= 4096, but got 8192 instead.",
    ),
    ("Cohere, the output", "too many tokens: max_tokens must be less than 4096"),
    (
        "vLLM, the output",
        "max_tokens=999999 cannot be greater than max_model_len=2048. Please request fewer output "
        "tokens. (parameter=max_tokens, value=999999)",
    ),
    (
        "vLLM, an output as long as the context",
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context "
        "length is 8192 tokens and your request has 50 input tokens (8192 > 8192 - 50).",
    ),
    (
        "vLLM, an output longer than the context",
        "This model's maximum context length is 128,000 tokens. However, you requested 130,000 "
        "output tokens and your prompt contains 10 input tokens, for a total of 130,010 tokens.",
    ),
    (
        "OpenAI, an output longer than the context",
        "This model's maximum context length is 4097 tokens, however you requested 5012 tokens (12 "
        "in your prompt; 5000 for the completion).",
    ),
    (
        "OpenAI, one string",
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length "
        "1048576, but got a string with length 2000000 instead.",
    ),
    (
        "Anthropic, a picture",
        "messages.1.content.0.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > "
        "5242880 bytes",
    ),
    ("a body of too many bytes", "Request Entity Too Large"),
    ("a schema", "Invalid schema for function 'f': maxLength exceeds the limit of 64"),
    ("a parameter", "Unsupported parameter: context. Remove it and try again."),
    ("an unknown model", "The model `long-context-length` does not exist."),
    ("nothing", ""),
]
