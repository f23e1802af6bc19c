-- wrk: post one body over and over; print one line of JSON at the end.
-- Arguments after `--`: the file of the body, its content type, and the milliseconds that a connection pauses between
-- an answer and its next request, on average. The request is made once, so that wrk only sends.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
  local pause = tonumber(args[3] or 0)
  if pause > 0 then
    -- wrk pauses for whole milliseconds.
    function delay()
      return math.floor(pause + math.random())
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
