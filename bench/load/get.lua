-- GET of one path, with the tokens of TOKENS_FILE in turn, as many users would.
local requests = {}
local at = 0

function init(args)
  for token in io.lines(os.getenv('TOKENS_FILE')) do
    requests[#requests + 1] = wrk.format('GET', nil, { ['Authorization'] = 'Bearer ' .. token })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
