"""The keys of the Redis store, and the Lua functions that its scripts are made of.

All keys begin with the prefix, which is the only key that a script is called with:

    r:<id>              hash: a response; `run` is 1 while it runs and 0 when it is over
    e:<id>              list: its events, so that the number of one is its place
    c:<id>              hash: a conversation
    o:<id>              sorted set: ids of its items by a count
    d:<id>              hash: its items
    l:<id>              string: who has its lock
    i:<size>:<owner><id>  set: where an item of an owner is, `r<id>` and `c<id>`
    leases              sorted set: running responses by the end of their lease
    w:<id>              channel: something happened to a run

Times are whole milliseconds, told by the server, so that clocks of machines need not agree. All
keys but `leases` expire with what they belong to. Redis 7.0 is the first with `PEXPIREAT … GT`, and
the first in which a script that ran out of memory has written nothing at all.

https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

WORDS = """
local P = KEYS[1]

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function expire(key, at)
  if at == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, at) end
end

local function wake(id)
  redis.call('PUBLISH', P .. 'w:' .. id, '')
end
"""

ITEMS = """
local function item_key(owner, item)
  return P .. 'i:' .. #owner .. ':' .. owner .. item
end

-- An index lives as long as the last thing that it points to.
local function prolong(key, at)
  if at == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, at, 'GT') end
end

local function place(owner, item, where, at)
  local key = item_key(owner, item)
  local is_new = redis.call('EXISTS', key) == 0
  redis.call('SADD', key, where)
  if is_new then expire(key, at) else prolong(key, at) end
end

local function unplace(owner, items, where)
  for _, item in ipairs(items) do redis.call('SREM', item_key(owner, item), where) end
end
"""

CONVERSATION = """
local function is_of(owner, id)
  return redis.call('HGET', P .. 'c:' .. id, 'owner') == owner
end

-- The items are the arguments from `first` on, in pairs of id and content.
local function put_items(owner, id, first, at, indexed_until)
  for number = first, #ARGV, 2 do
    local item = ARGV[number]
    if not redis.call('ZSCORE', P .. 'o:' .. id, item) then
      redis.call('ZADD', P .. 'o:' .. id, redis.call('HINCRBY', P .. 'c:' .. id, 'count', 1), item)
    end
    redis.call('HSET', P .. 'd:' .. id, item, ARGV[number + 1])
    place(owner, item, 'c' .. id, indexed_until)
  end
  expire(P .. 'c:' .. id, at)
  expire(P .. 'o:' .. id, at)
  expire(P .. 'd:' .. id, at)
end

local function append_items(owner, id, first)
  local key = P .. 'c:' .. id
  local known = redis.call('HMGET', key, 'owner', 'lifetime', 'indexed_until')
  if known[1] ~= owner then return 0 end
  if known[2] == '' then
    put_items(owner, id, first, '', '')
    return 1
  end
  local at, indexed_until = now() + known[2], tonumber(known[3])
  -- The index of the older items is prolonged once in a lifetime, not with every append.
  if at > indexed_until then
    indexed_until = at + known[2]
    redis.call('HSET', key, 'indexed_until', whole(indexed_until))
    for _, item in ipairs(redis.call('ZRANGE', P .. 'o:' .. id, 0, -1)) do
      prolong(item_key(owner, item), whole(indexed_until))
    end
  end
  redis.call('HSET', key, 'expires_at', string.format('%.3f', at / 1000))
  put_items(owner, id, first, whole(at), whole(indexed_until))
  return 1
end
"""

# A response is five arguments: id, owner, all of it, the one before it (behind a `=`), the ids of
# its items, and its expiry. Who puts one writes it last: what has expired is deleted by that.
RESPONSE = """
local function put_response()
  local id, owner, data, previous, items, at = unpack(ARGV, 1, 6)
  local key = P .. 'r:' .. id
  local known = redis.call('HMGET', key, 'owner', 'items')
  if known[1] and known[2] ~= items then
    unplace(known[1], cmsgpack.unpack(known[2]), 'r' .. id)
  end
  redis.call('HSET', key, 'owner', owner, 'data', data, 'previous', previous, 'items', items,
    'at', at)
  expire(key, at)
  expire(P .. 'e:' .. id, at)
  for _, item in ipairs(cmsgpack.unpack(items)) do place(owner, item, 'r' .. id, at) end
end
"""

RUN = """
-- Whether it runs, and for this holder (behind a `=`); an empty one is any.
local function runs(id, holder)
  local known = redis.call('HMGET', P .. 'r:' .. id, 'run', 'holder')
  return known[1] == '1' and (holder == '' or known[2] == holder)
end

-- Whether this very call has done it, when its first answer was lost and it is made again.
local function did(id, token)
  return redis.call('HGET', P .. 'r:' .. id, 'by') == token and 1 or 0
end

-- The events are the arguments from `first` to `last`; the log may have some of them already.
local function log(id, number, first, last)
  local length = redis.call('LLEN', P .. 'e:' .. id)
  if number > length then return redis.error_reply('GAP in the log of a run') end
  for place = first + length - number, last do
    redis.call('RPUSH', P .. 'e:' .. id, ARGV[place])
  end
  return nil
end

local function lease(id, milliseconds)
  redis.call('ZADD', P .. 'leases', whole(now() + milliseconds), id)
end
"""
