-- Sends GET requests to one path. Takes the tokens of TOKENS_FILE in turn, so that many users send requests.
local requests = {}
local index = 0

function init(args)
  for token in io.lines(os.getenv('TOKENS_FILE')) do
    requests[#requests + 1] = wrk.format('GET', nil, { ['Authorization'] = 'Bearer ' .. token })
  end
end

function request()
  index = index % #requests + 1
  return requests[index]
end
