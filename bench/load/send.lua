-- Sends the documented message with POST requests. Takes the tokens of TOKENS_FILE in turn.
local requests = {}
local index = 0

function init(args)
  for token in io.lines(os.getenv('TOKENS_FILE')) do
    local headers = { ['Authorization'] = 'Bearer ' .. token, ['Content-Type'] = 'application/json' }
    requests[#requests + 1] = wrk.format('POST', nil, headers, '{"message":"Hello, world!"}')
  end
end

function request()
  index = index % #requests + 1
  return requests[index]
end
