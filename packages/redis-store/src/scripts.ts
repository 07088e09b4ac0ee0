import { createHash } from 'node:crypto'

/** A Lua script that runs on one key. */
export interface Script {
  readonly lua: string
  readonly sha1: string
}

// Without the flag `no-writes` even a reading script is refused by a read-only replica, whose answer may be old, so that the client
// looks for the master. The declared flag `allow-oom` is for steps that free memory or need next to none.
const shebang = '#!lua flags='

// A fence is a time of the server in microseconds: with a lost hash, the next fence is still larger than the lost ones.
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function field(name) return tonumber(redis.call('HGET', KEYS[1], name) or 0) end
-- Lua's own conversion of a number this large loses digits.
local function digits(number) return string.format('%.0f', number) end
local function live(ms)
  if tonumber(ms) > redis.call('PTTL', KEYS[1]) then redis.call('PEXPIRE', KEYS[1], ms) end
end`

const records = `
local function recordFence()
  if field('valueEnd') <= now then return 0 end
  return field('fence')
end
local function newerRecord(newerThan)
  local fence = recordFence()
  if fence <= newerThan then return nil end
  return { redis.call('HGET', KEYS[1], 'value'), fence, math.floor(math.max(0, now - fence) / 1000) }
end`

const endLease = `
local function endLease(fence)
  if field('lease') == fence then redis.call('HDEL', KEYS[1], 'lease', 'leaseEnd', 'leaseMs') end
end`

/** `[value, fence, ageMs]` of a record that is newer than ARGV[1], else nil. */
export const getScript: Script = script(`${shebang}allow-oom${now}${records}
return newerRecord(tonumber(ARGV[1]))`)

/**
 * Answers a newer record than ARGV[1] as {@link getScript} does, else takes the lease for ARGV[2] milliseconds, or extends the
 * lease of the fence ARGV[3], and returns its fence, else `-ms` of another's lease.
 */
export const leaseScript: Script = script(`${shebang}${now}${records}
local newerThan, leaseMs, held = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local record = newerRecord(newerThan)
if record then return record end
local fence, left = field('lease'), field('leaseEnd') - now
-- More time left than the lease has in all: the clock went back.
local isTaken = left > 0 and left <= field('leaseMs') * 1000
if isTaken and fence ~= held then return -math.ceil(left / 1000) end
if not isTaken or fence <= newerThan then fence = math.max(field('last') + 1, now, newerThan + 1) end
redis.call('HSET', KEYS[1], 'last', digits(math.max(field('last'), fence)), 'lease', digits(fence),
  'leaseEnd', digits(now + leaseMs * 1000), 'leaseMs', digits(leaseMs))
live(leaseMs)
return fence`)

/** Keeps the value ARGV[1] of the fence ARGV[2] for ARGV[3] milliseconds and ends its lease; 1, or 0 when it is refused. */
export const putScript: Script = script(`${shebang}${now}${records}${endLease}
local fence, keepMs = tonumber(ARGV[2]), tonumber(ARGV[3])
endLease(fence)
if fence < recordFence() or fence <= field('forgotten') then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'fence', digits(fence), 'valueEnd', digits(now + keepMs * 1000),
  'last', digits(math.max(field('last'), fence)))
live(keepMs)
return 1`)

/** Ends the lease of the fence ARGV[1]. */
export const releaseScript: Script = script(`${shebang}allow-oom${now}${endLease}
endLease(tonumber(ARGV[1]))`)

/**
 * Removes the record, ends the lease, and refuses the records of all earlier fences for ARGV[2] milliseconds; none of that when the
 * record is newer than ARGV[1].
 */
export const forgetScript: Script = script(`${shebang}allow-oom${now}${records}
local fence = tonumber(ARGV[1])
if recordFence() > fence then return end
-- Another replica dropped the same token: a second forget must not end the lease of its replacement.
if fence <= field('forgotten') then live(ARGV[2]) return end
-- A server that lost its data knows none of the fences that it handed out; all of them are earlier times.
local last = digits(math.max(field('last'), fence, now))
redis.call('HDEL', KEYS[1], 'value', 'fence', 'valueEnd', 'lease', 'leaseEnd', 'leaseMs')
redis.call('HSET', KEYS[1], 'last', last, 'forgotten', last)
live(ARGV[2])`)

/** Adds the name ARGV[1] with the fence ARGV[2] to the log, which ends ARGV[3] milliseconds after its last entry. */
export const logScript: Script = script(`${shebang}allow-oom
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'name', ARGV[1], 'fence', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])`)

/**
 * Returns `[entries, newest]` of the log: up to ARGV[3] entries after the id ARGV[1], or, when it is empty, the entries of the last
 * ARGV[2] milliseconds, and the newest entry.
 */
export const readLogScript: Script = script(`${shebang}allow-oom
local from = '(' .. ARGV[1]
if ARGV[1] == '' then
  local time = redis.call('TIME')
  from = string.format('%.0f', math.max(0, time[1] * 1000 - tonumber(ARGV[2])))
end
return { redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[3]), redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1) }`)

function script(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') }
}
