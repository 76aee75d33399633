/**
 * Decides and charges inside of Redis, where a script runs alone, by the clock of Redis. It does what `../memory/buckets.ts` does,
 * number by number, which is described there. KEYS: a bucket for each limit. ARGV: the cost, then for each limit its algorithm,
 * quantity, window in milliseconds and burst. Answers for each limit what remains, the milliseconds until its full quantity (or,
 * when it refuses, until what was asked for) is there, and 1 where it allows.
 *
 * Numbers are integers up to 2^53, written in full. A bucket that is full again expires.
 */
export const COUNTER_SCRIPT = `local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local cost = tonumber(ARGV[1])
local needed = math.max(cost, 1)
local open = {}

function open.fixedWindow(limit, state)
  local ends, used = state[1] or 0, state[2] or 0
  if now >= ends then
    ends = now - now % limit.window + limit.window
    used = 0
  end
  return {
    available = function() return limit.quantity - used end,
    charge = function() used = used + cost end,
    wait = function(units) return limit.quantity - used >= units and 0 or ends - now end,
    state = function() return { ends, used }, ends end,
  }
end

function open.slidingWindow(limit, state)
  local runs, used = {}, 0
  for at = 1, #state, 2 do
    if state[at] > now - limit.window then
      runs[#runs + 1] = state[at]
      runs[#runs + 1] = state[at + 1]
      used = used + state[at + 1]
    end
  end
  return {
    available = function() return limit.quantity - used end,
    charge = function()
      local slice, last = limit.window / 16, #runs - 1
      used = used + cost
      if last > 0 and math.floor(runs[last] / slice) >= math.floor(now / slice) then
        runs[last] = math.max(runs[last], now)
        runs[last + 1] = runs[last + 1] + cost
      else
        runs[#runs + 1] = now
        runs[#runs + 1] = cost
      end
    end,
    wait = function(units)
      local there, wait, at = limit.quantity - used, 0, 1
      while at < #runs and there < units do
        there = there + runs[at + 1]
        wait = runs[at] + limit.window - now
        at = at + 2
      end
      return wait
    end,
    state = function() return runs, runs[#runs - 1] + limit.window end,
  }
end

function open.tokenBucket(limit, state)
  local capacity = limit.burst * limit.window
  local level, at = state[1] or capacity, state[2] or 0
  local function full() return at + math.ceil((capacity - level) / limit.quantity) end
  if now > at then
    level = now >= full() and capacity or level + (now - at) * limit.quantity
    at = now
  end
  return {
    available = function() return math.floor(level / limit.window) end,
    charge = function() level = level - cost * limit.window end,
    wait = function(units)
      local missing = math.min(units * limit.window, capacity) - level
      return missing <= 0 and 0 or at + math.ceil(missing / limit.quantity) - now
    end,
    state = function() return { level, at }, full() end,
  }
end

local function read(key)
  local state = {}
  for word in string.gmatch(redis.call("GET", key) or "", "%d+") do state[#state + 1] = tonumber(word) end
  return state
end

local function write(key, bucket)
  local state, ends = bucket.state()
  local words = {}
  for index, number in ipairs(state) do words[index] = string.format("%.0f", number) end
  redis.call("SET", key, table.concat(words, " "), "PX", string.format("%.0f", math.max(1, ends - now)))
end

local buckets, passed = {}, true
for index, key in ipairs(KEYS) do
  local at = index * 4 - 2
  local limit = {
    quantity = tonumber(ARGV[at + 1]),
    window = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]),
  }
  buckets[index] = open[ARGV[at]](limit, read(key))
  buckets[index].all = ARGV[at] == "tokenBucket" and limit.burst or limit.quantity
  if buckets[index].available() < needed then passed = false end
end
local states = {}
for index, key in ipairs(KEYS) do
  local bucket = buckets[index]
  if passed and cost > 0 then
    bucket.charge()
    write(key, bucket)
  end
  local remaining = bucket.available()
  local allowed = remaining >= (passed and 0 or needed)
  states[#states + 1] = remaining
  states[#states + 1] = bucket.wait(allowed and bucket.all or needed)
  states[#states + 1] = allowed and 1 or 0
end
return states
`;

/** SHA-1 of the script, by which Redis knows one that it has run before; a test holds it to the text. */
export const COUNTER_SCRIPT_SHA1 = "cfd192bf2d850011ecf608bd1118072c7039906a";
