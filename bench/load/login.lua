-- POST of a login, with the usernames of USERNAMES_FILE in turn; all of them have the password of PASSWORD.
local requests = {}
local at = 0

function init(args)
  for username in io.lines(os.getenv('USERNAMES_FILE')) do
    local body = string.format('{"username":"%s","password":"%s"}', username, os.getenv('PASSWORD'))
    requests[#requests + 1] = wrk.format('POST', nil, { ['Content-Type'] = 'application/json' }, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
