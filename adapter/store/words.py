"""What nearly every stored body says, as a dictionary for deflate (RFC 1950 §2.2).

Small bodies hold little that repeats within them: with these words a short response takes half of
what it takes without. **Never change them**: bodies that were written with them are read with them.
Other words need a number of their own in `packing.py`. What is most common stands last, where
distances are short.
"""

_EVENTS = (
    b'{"type":"response.function_call_arguments.delta","sequence_number":1,"item_id":"fc_'
    b'{"type":"response.reasoning_summary_text.delta","sequence_number":1,"item_id":"rs_'
    b'{"type":"response.reasoning_text.delta","sequence_number":1,"item_id":"rs_'
    b'{"type":"response.content_part.added","sequence_number":1,"item_id":"msg_","output_index":0,'
    b'"content_index":0,"part":{"type":"reasoning_text","text":""}}'
    b'{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":'
    b'{"type":"response.created","sequence_number":0,"response":'
    b'{"type":"response.in_progress","sequence_number":1,"response":'
    b'{"type":"response.completed","sequence_number":1,"response":'
    b'{"type":"response.output_item.done","sequence_number":1,"output_index":0,"item":'
    b'{"type":"response.content_part.done","sequence_number":1,"item_id":"msg_","output_index":0,'
    b'"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}'
    b'{"type":"response.output_text.done","sequence_number":1,"item_id":"msg_","output_index":0,'
    b'"content_index":0,"text":"","logprobs":[]}'
    b'{"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_","output_index":0,'
    b'"content_index":0,"delta":"","logprobs":[]}'
)
_TOOLS = (
    b'{"type":"mcp_call","server_label":"","name":"","arguments":"{\\"","output":"","error":null,'
    b'{"type":"custom_tool_call_output","call_id":"call_","output":""}'
    b'{"type":"custom_tool_call","call_id":"call_","name":"","input":""}'
    b'{"type":"function","name":"","description":"","parameters":{"type":"object","properties":{'
    b'"path":{"type":"string","description":"The '
    b'"type":"boolean"},"type":"integer"},"type":"number"},"type":"array","items":{"type":"string"}'
    b'},"required":[""],"additionalProperties":false},"strict":true}'
    b'{"type":"function_call_output","call_id":"call_","output":"","status":"completed","id":"fco_'
    b'{"type":"function_call","id":"fc_","call_id":"call_","name":"","arguments":"{\\"\\":\\"\\"}",'
    b'"status":"completed"}'
)
_ITEMS = (
    b'{"type":"input_image","image_url":"data:image/png;base64,","detail":"auto"}'
    b'{"type":"reasoning","id":"rs_","summary":[],"content":[{"type":"reasoning_text","text":""}],'
    b'"encrypted_content":"rsa.'
    b'{"type":"message","role":"developer","content":[{"type":"input_text","text":""}],"id":"msg_"}'
    b'[{"type":"message","role":"user","content":[{"type":"input_text","text":""}],'
    b'"status":"completed","id":"msg_"}]'
)
_RESPONSE = (
    b'{"id":"resp_","object":"response","created_at":1795132800,"completed_at":1795132800,'
    b'"status":"incomplete","status":"failed","status":"cancelled","status":"queued",'
    b'"incomplete_details":{"reason":"max_output_tokens"},'
    b'"error":{"code":"server_error","message":""},'
    b'"previous_response_id":"resp_","instructions":"You are ","reasoning":{"effort":null,'
    b'"tool_choice":"required","prompt_cache_key":"","completed_at":null,"usage":null,'
    b'"background":true,"parallel_tool_calls":false,"temperature":0.0,"max_output_tokens":1024,'
    b'"status":"completed","incomplete_details":null,"model":"gpt-","previous_response_id":null,'
    b'"instructions":null,"output":[{"type":"message","id":"msg_","status":"completed",'
    b'"role":"assistant","content":[{"type":"output_text","text":"","annotations":[],'
    b'"logprobs":[]}],"phase":"final_answer"}],"error":null,"tools":[],"tool_choice":"auto",'
    b'"truncation":"disabled","parallel_tool_calls":true,"text":{"format":{"type":"text"},'
    b'"verbosity":"medium"},"top_p":1.0,"presence_penalty":0.0,"frequency_penalty":0.0,'
    b'"top_logprobs":0,"temperature":1.0,"reasoning":{"effort":"medium","summary":null},'
    b'"usage":{"input_tokens":0,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},'
    b'"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":0},'
    b'"max_output_tokens":null,"max_tool_calls":null,"store":true,"background":false,'
    b'"service_tier":"default","metadata":{},"safety_identifier":null,"prompt_cache_key":null,'
    b'"user":null}'
)

WORDS = _EVENTS + _TOOLS + _ITEMS + _RESPONSE
