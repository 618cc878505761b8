// Checked by `tsc` and never run: each expected error that no longer occurs fails the type check.
import type { Handler, Handlers } from '../../../src/contract/handlers.ts'

export const documented: Handler<'getProfile'> = ({ user, reply, problem }) => {
  if (user.id === '') throw problem('invalid-token')
  return reply({ user })
}

export const undocumentedProblem: Handler<'getProfile'> = ({ user, reply, problem }) => {
  // @ts-expect-error getProfile documents no 409
  if (user.id === '') throw problem('username-taken')
  return reply({ user })
}

export const unknownProblem: Handler<'loginUser'> = ({ problem }) => {
  // @ts-expect-error no such code is in the catalogue
  throw problem('teapot')
}

export const unknownProperty: Handler<'getProfile'> = ({ user, reply }) =>
  // @ts-expect-error the profile has no e-mail address
  reply({ user, email: 'someone@example.com' })

export const unknownNestedProperty: Handler<'registerUser'> = ({ reply }) =>
  // @ts-expect-error a user has no password
  reply({ user: { id: '1', username: 'someone', password: 'secret' } })

export const missingProperty: Handler<'loginUser'> = ({ reply }) =>
  // @ts-expect-error the token is required
  reply({})

export const wrongType: Handler<'loginUser'> = ({ reply }) =>
  // @ts-expect-error a token is a string
  reply({ token: 1 })

// @ts-expect-error only reply creates the return value of a handler
export const withoutReply: Handler<'getProfile'> = ({ user }) => ({ user })

export const unknownBodyProperty: Handler<'sendMessage'> = ({ body, reply }) => {
  // @ts-expect-error a message has no channel
  void body.channel
  return reply({}, { 'Content-Location': '/api/chats/messages/a' })
}

// @ts-expect-error the success response of this operation has a header that the handler supplies
export const missingHeader: Handler<'sendMessage'> = ({ reply }) => reply({})

// @ts-expect-error the success response of this operation has no such header
export const unknownHeader: Handler<'getProfile'> = ({ user, reply }) => reply({ user }, { 'X-Header': 'a' })

declare const all: Handlers
const { sendMessage: _, ...allButOne } = all

// @ts-expect-error an operation without a handler
export const missingHandler: Handlers = allButOne

// @ts-expect-error a handler without an operation
export const unknownHandler: Handlers = { ...all, deleteUser: () => all }
