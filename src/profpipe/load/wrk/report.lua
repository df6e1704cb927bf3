-- What profpipe asks of wrk: the request when it is more than a GET with headers, and one JSON object at the end.
-- Times are microseconds. latency:percentile(100) answers 0 in wrk 4.1.0, so the largest value is latency.max; the
-- histogram is after wrk's own correction, summary.requests is what was answered.
-- wrk counts from the smallest latency up for every latency(i): 44,000 values of up to 250 ms kept it busy for 10 s
-- after the load, and on a busy machine for over a minute. Beyond about a second of that the histogram is left out.
local MOST_STEPS = 1e9
local method = os.getenv("PROFPIPE_WRK_METHOD")
local body = os.getenv("PROFPIPE_WRK_BODY")
if method then
  wrk.method = method
end
if body then
  local file = assert(io.open(body, "rb"))
  wrk.body = file:read("*a")
  file:close()
end

function done(summary, latency, requests)
  local errors, rows = summary.errors, {}
  local few = #latency * latency.max <= MOST_STEPS
  for i = 1, few and #latency or 0 do
    local value, count = latency(i)
    rows[i] = string.format("[%d,%d]", tonumber(value), tonumber(count))
  end
  local file = assert(io.open(os.getenv("PROFPIPE_WRK_REPORT"), "wb"))
  file:write(string.format(
    '{"duration_us":%d,"requests":%d,"bytes":%d,"latency_us":{"min":%d,"max":%d,"mean":%.3f,"stdev":%.3f},',
    summary.duration, summary.requests, summary.bytes, latency.min, latency.max,
    #latency > 0 and latency.mean or 0, #latency > 0 and latency.stdev or 0))
  file:write(string.format(
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},"histogram":%s}\n',
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    few and "[" .. table.concat(rows, ",") .. "]" or "null"))
  file:close()
end
