import { appendFileSync } from 'node:fs'

/**
 * How a server was started, as far as the documents' numbers depend on it: `documented` has the
 * quotas of the documents, `raised` has quotas that the suite does not use up, `unknown` is a
 * service that someone else started.
 */
export interface ServerStarted {
  kind: 'server'
  server: string
  limits: 'documented' | 'raised' | 'unknown'
}

/** The documented user's name was taken on this server; this user stands in for it. */
export interface StandIn {
  kind: 'stand-in'
  server: string
  username: string
}

export interface SentRequest {
  method: string
  path: string
  query: Record<string, string>
  /** Names in lower case. */
  headers: Record<string, string>
  /** The bytes, one character each (latin1), so that what is not UTF-8 survives the record. */
  body?: string
}

export interface Exchange {
  kind: 'exchange' | 'handshake'
  server: string
  /** Milliseconds; for the order and the distance of exchanges only. */
  at: number
  request: SentRequest
  response: { status: number; headers: Record<string, string>; body: string }
  /** The problem that the state of the server calls for, where the request alone does not. */
  expect?: string
}

export interface Opened {
  kind: 'opened'
  server: string
  socket: string
  request: SentRequest
  subprotocol: string
}

/** A frame, and what its sender received for it. */
export interface Turn {
  kind: 'turn'
  server: string
  socket: string
  sent: string
  answer: string
  expect?: string
}

export interface Sent {
  kind: 'sent'
  server: string
  socket: string
  text: string
}

export interface Received {
  kind: 'received'
  server: string
  socket: string
  text: string
}

export interface Closed {
  kind: 'closed'
  server: string
  socket: string
  code: number
  reason: string
  /** The name in `x-close-codes` that the suite provoked. */
  cause: string
}

export type TrafficEvent = ServerStarted | StandIn | Exchange | Opened | Turn | Sent | Received | Closed

/** Writes one line of the record that the driver judges as a whole when the tests are done. */
export function record(event: TrafficEvent): void {
  const file = process.env.TRAFFIC_FILE
  if (file) appendFileSync(file, `${JSON.stringify(event)}\n`)
}

export function parseTraffic(lines: string): TrafficEvent[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrafficEvent)
}
