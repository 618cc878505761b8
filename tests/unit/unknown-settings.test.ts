import { describe, expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { policyNames } from '../../src/contract/policies.ts'
import { findUnknownSettings } from '../../src/unknown-settings.ts'
import { spawnService, startChild } from './support/child.ts'
import { temporaryFolder } from './support/service.ts'

const find = (names: readonly string[]) =>
  findUnknownSettings(Object.fromEntries(names.map((name) => [name, 'a value'])), policyNames)

describe('a variable that looks like a setting is found, with the setting that was meant', () => {
  test.each([
    ['RATE_LIMIT', 'RATE_LIMITS'],
    ['RATELIMITS', 'RATE_LIMITS'],
    ['MAX_SOCKET', 'MAX_SOCKETS'],
    ['MAX_SOCKETS_USER', 'MAX_SOCKETS'],
    ['MAX_SOCKET_PER_USER', 'MAX_SOCKETS_PER_USER'],
    ['MESSAGE_RETENTION', 'MESSAGE_RETENTION_DAYS'],
    ['MESSAGES_RETENTION_COUNT', 'MESSAGE_RETENTION_COUNT'],
    ['RETENTION_DAYS', 'MESSAGE_RETENTION_DAYS'],
    ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
    ['TRUST_PROXY', 'TRUSTED_PROXIES'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['JWT_SECRETS', 'JWT_SECRET'],
    ['JWT_SECRET_FILE', 'JWT_SECRET'],
    ['TOKEN_TTL', 'TOKEN_TTL_SECONDS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['DATA_DIRECTORY', 'DATA_DIR'],
    ['DATADIR', 'DATA_DIR'],
    ['PARLEY_DATA_DIR', 'DATA_DIR'],
    ['NODE_ENVIRONMENT', 'NODE_ENV'],
    ['DRAIN_SECOND', 'DRAIN_SECONDS'],
    ['SOCKET_BUFFER', 'SOCKET_BUFFER_BYTES'],
  ])('%s means %s', (variable, setting) => expect(find([variable])).toEqual([{ variable, setting }]))
})

test('settings and the variables of shells, containers, CI and runtimes are not reported', () => {
  const unrelated = `
    _ A_B D_D __ PATH HOME HOSTNAME USER SHLVL PWD LANG LC_ALL TERM TZ EDITOR SHELL LOGNAME MAIL PORTAL HOSTS
    HOSTTYPE PORTS KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_PORT_443_TCP PARLEY_PORT
    PARLEY_SERVICE_HOST PARLEY_PORT_3000_TCP_ADDR DOCKER_HOST CONTAINER LOG_DIR LOG_FORMAT LOG_FILE DEBUG
    NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED BUN_INSTALL
    BUN_RUNTIME_TRANSPILER_CACHE_PATH npm_config_loglevel npm_config_user_agent npm_package_version
    npm_lifecycle_event CI GITHUB_TOKEN GITHUB_ENV RUNNER_TEMP GITLAB_CI XDG_DATA_DIRS XDG_RUNTIME_DIR
    DATABASE_URL DATADOG_KEY DATA_SOURCE MAX_OLD_SPACE MAX_MEMORY TOKEN GITHUB_TOKEN_URL HTTP_PROXY
    NO_PROXY https_proxy SSH_AUTH_SOCK SYSTEMD_EXEC_PID INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET
    AWS_SECRET_ACCESS_KEY JWT_PUBLIC_KEY REDIS_HOST SMTP_PORT RATE MESSAGE SOCKET SOCKET_PATH DBUS_SESSION_BUS_ADDRESS
    WINDOWID COLORTERM LS_COLORS OLDPWD VIRTUAL_HOST TMPDIR DEBIAN_FRONTEND PYTHONPATH JAVA_HOME
  `
  expect(find(unrelated.trim().split(/\s+/))).toEqual([])
  const example = ['HOST', 'PORT', 'DATA_DIR', 'JWT_SECRET', 'RATE_LIMIT_LOGIN', 'RATE_LIMITS', 'NODE_ENV']
  expect(find(example)).toEqual([])
  expect(findUnknownSettings({ MAX_SOCKET: '' }, policyNames)).toEqual([])
})

test('the service warns once for each variable, without its value, and starts', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({
    environment: {
      DATA_DIR: folder.path,
      NODE_ENV: 'production',
      RATE_LIMIT: '10/61',
      JWT_SECRETS: 'confidential',
    },
  })
  await service.waitFor(/RATE_LIMIT is not a setting/)
  const log = await service.stop()
  const warnings = log.split('\n').filter((line) => line.includes('is not a setting'))
  expect(warnings.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: 40,
      variable: 'JWT_SECRETS',
      msg: 'JWT_SECRETS is not a setting and has no effect. Did you mean JWT_SECRET?',
    }),
    expect.objectContaining({ level: 40, variable: 'RATE_LIMIT' }),
  ])
  for (const value of ['confidential', '10/61']) expect(log).not.toContain(value)
})

test('a service that is stopped immediately has warned as well', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({ environment: { DATA_DIR: folder.path, METRIC_PORT: '0' } })
  expect(await service.stop()).toContain('Did you mean METRICS_PORT?')
})

test('a start that fails also warns of misspelled settings', async () => {
  await using folder = await temporaryFolder()
  // A file cannot be the data folder, which the start notices soon after the warning.
  const file = join(folder.path, 'a file')
  await writeFile(file, '')
  const environment = { DATA_DIR: file, METRIC_PORT: '0' }
  const child = spawnService({ environment })
  const [log, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect(await child.exited).toBe(1)
  expect(errors).toContain('is not a folder')
  expect(log).toContain('Did you mean METRICS_PORT?')
})
