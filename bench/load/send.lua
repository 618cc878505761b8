-- POST of the documented message, with the tokens of TOKENS_FILE in turn.
local requests = {}
local at = 0

function init(args)
  for token in io.lines(os.getenv('TOKENS_FILE')) do
    local headers = { ['Authorization'] = 'Bearer ' .. token, ['Content-Type'] = 'application/json' }
    requests[#requests + 1] = wrk.format('POST', nil, headers, '{"message":"Hello, world!"}')
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
