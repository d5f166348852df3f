"""The atomic steps of the Redis store: each is one Lua script, and one round trip.

A script is called with the prefix of all keys and the arguments that its first lines name. Those
that write return 1 if they did.
"""

from adapter.store.base import PAGE_BYTES
from adapter.store.redis.lua import CONVERSATION, ITEMS, RESPONSE, RUN, WORDS

SAVE = f"""{WORDS}{ITEMS}{CONVERSATION}{RESPONSE}
put_response()
if #ARGV > 7 then append_items(ARGV[2], ARGV[7], 8) end
"""

CHAIN = f"""
local P, owner, id, found, size = KEYS[1], ARGV[1], ARGV[2], {{}}, 0
while #found < tonumber(ARGV[3]) and size <= {PAGE_BYTES} do
  local known = redis.call('HMGET', P .. 'r:' .. id, 'owner', 'data', 'previous')
  if known[1] ~= owner then break end
  found[#found + 1] = known[2]
  size = size + #known[2]
  if known[3] == '' then break end
  id = string.sub(known[3], 2)
end
return found
"""

DELETE = f"""{WORDS}{ITEMS}
local owner, id = unpack(ARGV)
local known = redis.call('HMGET', P .. 'r:' .. id, 'owner', 'items')
if known[1] ~= owner then return 0 end
unplace(owner, cmsgpack.unpack(known[2]), 'r' .. id)
redis.call('DEL', P .. 'r:' .. id, P .. 'e:' .. id)
redis.call('ZREM', P .. 'leases', id)
wake(id)
return 1
"""

# What comes back: responses, each once, and items of conversations, in pairs of id and content.
FIND_ITEMS = f"""{WORDS}{ITEMS}
local owner, seen, responses, items, size = ARGV[1], {{}}, {{}}, {{}}, 0
for number = 2, #ARGV do
  if size > {PAGE_BYTES} then break end
  for _, where in ipairs(redis.call('SMEMBERS', item_key(owner, ARGV[number]))) do
    local kind, id = string.sub(where, 1, 1), string.sub(where, 2)
    if kind == 'r' and not seen[id] then
      seen[id] = true
      local known = redis.call('HMGET', P .. 'r:' .. id, 'owner', 'data')
      if known[1] == owner then
        responses[#responses + 1] = known[2]
        size = size + #known[2]
      end
    elseif kind == 'c' and redis.call('HGET', P .. 'c:' .. id, 'owner') == owner then
      local data = redis.call('HGET', P .. 'd:' .. id, ARGV[number])
      if data then
        items[#items + 1] = ARGV[number]
        items[#items + 1] = data
        size = size + #data
      end
    end
  end
end
return {{responses, items}}
"""

START_RUN = f"""{WORDS}{ITEMS}{RESPONSE}{RUN}
redis.call('HSET', P .. 'r:' .. ARGV[1], 'run', 1, 'holder', ARGV[7])
put_response()
lease(ARGV[1], ARGV[8])
"""

APPEND_EVENTS = f"""{WORDS}{RUN}
local id, holder, milliseconds, number = unpack(ARGV, 1, 4)
if not runs(id, holder) then return 0 end
if #ARGV > 4 then
  local failure = log(id, tonumber(number), 5, #ARGV)
  if failure then return failure end
  expire(P .. 'e:' .. id, redis.call('HGET', P .. 'r:' .. id, 'at'))
  wake(id)
end
lease(id, milliseconds)
return 1
"""

FINISH = f"""{WORDS}{ITEMS}{CONVERSATION}{RESPONSE}{RUN}
local id, owner = ARGV[1], ARGV[2]
local conversation, holder, number, last, token = unpack(ARGV, 7, 11)
if not runs(id, holder) then return did(id, token) end
local failure = log(id, tonumber(number), 12, tonumber(last))
if failure then return failure end
redis.call('HSET', P .. 'r:' .. id, 'run', 0, 'by', token)
redis.call('ZREM', P .. 'leases', id)
put_response()
if #ARGV > tonumber(last) then append_items(owner, conversation, last + 1) end
wake(id)
return 1
"""

UPDATE_RUN = f"""{WORDS}{ITEMS}{RESPONSE}{RUN}
if not runs(ARGV[1], ARGV[7]) then return 0 end
put_response()
return 1
"""

READ_EVENTS = """
local P, owner, id, first, last = KEYS[1], unpack(ARGV)
local known = redis.call('HMGET', P .. 'r:' .. id, 'owner', 'run')
if known[1] ~= owner or not known[2] then return false end
local is_whole = redis.call('LLEN', P .. 'e:' .. id) <= last + 1
local is_closed = is_whole and known[2] == '0' and 1 or 0
return {is_closed, redis.call('LRANGE', P .. 'e:' .. id, first, last)}
"""

# Those of runs that have expired are dropped by the way.
ORPHANS = """
local P, now, limit, found = KEYS[1], ARGV[1], tonumber(ARGV[2]), {}
while #found < limit do
  local id = redis.call('ZRANGE', P .. 'leases', '-inf', now, 'BYSCORE', 'LIMIT', #found, 1)[1]
  if not id then break end
  local known = redis.call('HMGET', P .. 'r:' .. id, 'run', 'data')
  if known[1] == '1' then
    found[#found + 1] = known[2]
  else
    redis.call('ZREM', P .. 'leases', id)
  end
end
return found
"""

TAKE_OVER = f"""{WORDS}{RUN}
local id, holder, milliseconds, token = unpack(ARGV)
local ends = redis.call('ZSCORE', P .. 'leases', id)
if not runs(id, '') or not ends or tonumber(ends) > now() then return did(id, token) end
redis.call('HSET', P .. 'r:' .. id, 'holder', holder, 'by', token)
lease(id, milliseconds)
wake(id)
return 1
"""

CREATE_CONVERSATION = f"""{WORDS}{ITEMS}{CONVERSATION}
local id, owner, created_at, expires_at, metadata, at, lifetime = unpack(ARGV, 1, 7)
local indexed_until = at == '' and '' or whole(at + lifetime)
redis.call('HSET', P .. 'c:' .. id, 'owner', owner, 'created_at', created_at, 'expires_at',
  expires_at, 'metadata', metadata, 'lifetime', lifetime, 'indexed_until', indexed_until)
put_items(owner, id, 8, at, indexed_until)
"""

UPDATE_CONVERSATION = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, metadata = unpack(ARGV)
if not is_of(owner, id) then return false end
redis.call('HSET', P .. 'c:' .. id, 'metadata', metadata)
return redis.call('HMGET', P .. 'c:' .. id, 'owner', 'created_at', 'expires_at', 'metadata')
"""

DELETE_CONVERSATION = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id = unpack(ARGV)
if not is_of(owner, id) then return 0 end
unplace(owner, redis.call('ZRANGE', P .. 'o:' .. id, 0, -1), 'c' .. id)
redis.call('DEL', P .. 'c:' .. id, P .. 'o:' .. id, P .. 'd:' .. id, P .. 'l:' .. id)
return 1
"""

ADD_ITEMS = f"""{WORDS}{ITEMS}{CONVERSATION}
return append_items(ARGV[1], ARGV[2], 3)
"""

LIST_ITEMS = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, order, limit, after = unpack(ARGV)
if not is_of(owner, id) then return false end
local start = order == 'asc' and '-inf' or '+inf'
if after then
  start = redis.call('ZSCORE', P .. 'o:' .. id, after)
  if not start then return false end
  start = '(' .. start
end
local range = {{start, '+inf', 'BYSCORE'}}
if order == 'desc' then range = {{start, '-inf', 'BYSCORE', 'REV'}} end
range[#range + 1] = 'LIMIT'
range[#range + 1] = 0
range[#range + 1] = limit + 1
local found, size, has_more = {{}}, 0, 0
for number, item in ipairs(redis.call('ZRANGE', P .. 'o:' .. id, unpack(range))) do
  if number > tonumber(limit) or size > {PAGE_BYTES} then
    has_more = 1
    break
  end
  found[#found + 1] = item
  found[#found + 1] = redis.call('HGET', P .. 'd:' .. id, item)
  size = size + #found[#found]
end
return {{has_more, found}}
"""

GET_ITEM = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, item = unpack(ARGV)
return is_of(owner, id) and redis.call('HGET', P .. 'd:' .. id, item)
"""

DELETE_ITEM = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, item = unpack(ARGV)
if not is_of(owner, id) or redis.call('HDEL', P .. 'd:' .. id, item) == 0 then return 0 end
redis.call('ZREM', P .. 'o:' .. id, item)
unplace(owner, {{item}}, 'c' .. id)
return 1
"""

LOCK = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, holder, milliseconds = unpack(ARGV)
local key = P .. 'l:' .. id
local held_by = redis.call('GET', key)
if not is_of(owner, id) or (held_by and held_by ~= holder) then return 0 end
redis.call('SET', key, holder)
redis.call('PEXPIRE', key, milliseconds)
return 1
"""

UNLOCK = f"""{WORDS}{ITEMS}{CONVERSATION}
local owner, id, holder = unpack(ARGV)
local key = P .. 'l:' .. id
if is_of(owner, id) and redis.call('GET', key) == holder then redis.call('DEL', key) end
"""
