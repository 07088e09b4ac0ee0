-- Arguments: the file of requests (NUL between them), and the index of the first one to send.
local threads = {}
local requests = {}
local position = 0
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  for request in file:read('*a'):gmatch('[^%z]+') do
    requests[#requests + 1] = request
  end
  file:close()
  position = tonumber(args[2])
end

function request()
  local raw = requests[position % #requests + 1]
  position = position + 1
  return raw
end

function response(status)
  if status ~= 200 then wrong = wrong + 1 end
end

function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do errors = errors + thread:get('wrong') end
  io.stdout:write(string.format(
    '\n{"requests":%d,"durationUs":%d,"errors":%d,"p50":%d,"p99":%d,"p999":%d}\n',
    summary.requests, summary.duration, errors,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)
  ))
end
