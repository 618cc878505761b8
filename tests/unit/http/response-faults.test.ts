import { expect, test } from 'bun:test'
import { startService } from '../support/service.ts'

test('a page of another origin cannot read a response that follows one to an allowed page', async () => {
  await using service = await startService({ CORS_ORIGINS: 'https://allowed.example' })
  const { token } = await service.account('someone')
  const allowedOrigin = async (origin: string) => {
    const { status, headers } = await service.get('/api/users/profile', token, { origin })
    return [status, headers.get('access-control-allow-origin')]
  }
  for (let i = 0; i < 3; i++) {
    expect(await allowedOrigin('https://allowed.example')).toEqual([200, 'https://allowed.example'])
    expect(await allowedOrigin('https://other.example')).toEqual([200, null])
  }
})

test('a failure of the server leaves one line with its cause and the request id of the response', async () => {
  await using service = await startService(
    {},
    {
      wrapStorage: (storage) => ({
        ...storage,
        messageLog: {
          ...storage.messageLog,
          readBefore() {
            throw new Error('the cause')
          },
        },
      }),
    },
  )
  const { token } = await service.account('someone')
  const response = await service.get('/api/chats/messages', token)
  expect(response.status).toBe(500)
  const failures = service.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'failed')
  expect(failures).toEqual([
    expect.objectContaining({
      level: 50,
      code: 'internal-error',
      requestId: response.headers.get('x-request-id'),
      cause: { name: 'Error', message: 'the cause' },
    }),
  ])
})
