-- Posts one event again and again, each time with a delivery id of its own.
-- Environment: BODY (a file), HEADERS (lines), ID (a header, or empty), RUN (a prefix of ids), PAUSE (ms).

local file = io.open(os.getenv("BODY"), "rb")
local body = file:read("*a")
file:close()

local path = os.getenv("TARGET")
local name = os.getenv("ID")
local run = os.getenv("RUN")
local pause = tonumber(os.getenv("PAUSE") or "0")
local count = 0
local head = "POST " .. path .. " HTTP/1.1\r\n" .. os.getenv("HEADERS"):gsub("\n", "\r\n")
  .. "\r\nContent-Length: " .. #body .. "\r\n"

function request()
  count = count + 1
  if name == "" then
    return head .. "\r\n" .. body
  end
  return head .. name .. ": " .. run .. "-" .. count .. "\r\n\r\n" .. body
end

if pause > 0 then
  function delay()
    return pause * (0.5 + math.random())
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "refused": %d, "broken": %d, "seconds": %.3f, "p50": %.3f, "p99": %.3f, "max": %.3f}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
