-- Sends login requests. Takes the usernames of USERNAMES_FILE in turn; all accounts have the password PASSWORD.
local requests = {}
local index = 0

function init(args)
  for username in io.lines(os.getenv('USERNAMES_FILE')) do
    local body = string.format('{"username":"%s","password":"%s"}', username, os.getenv('PASSWORD'))
    requests[#requests + 1] = wrk.format('POST', nil, { ['Content-Type'] = 'application/json' }, body)
  end
end

function request()
  index = index % #requests + 1
  return requests[index]
end
