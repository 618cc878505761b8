// Written by `bun run generate` from spec/openapi.yaml and spec/asyncapi.yaml. Do not edit.

export const apiVersion = '1'

/** The method, the path and the properties of each operation: `s` needs a token, `b` has a body, `i` takes an idempotency key. */
export const routes = {
  registerUser: ['POST', '/api/auth/register', 'b'],
  loginUser: ['POST', '/api/auth/login', 'b'],
  logoutUser: ['POST', '/api/auth/logout', 'sb'],
  refreshToken: ['POST', '/api/auth/refresh', 's'],
  getProfile: ['GET', '/api/users/profile', 's'],
  deleteProfile: ['DELETE', '/api/users/profile', 'sb'],
  changePassword: ['POST', '/api/users/password', 'sb'],
  sendMessage: ['POST', '/api/chats/send', 'sbi'],
  listMessages: ['GET', '/api/chats/messages', 's'],
  getMessage: ['GET', '/api/chats/messages/{id}', 's'],
  createRoom: ['POST', '/api/rooms', 'sbi'],
  listRooms: ['GET', '/api/rooms', 's'],
  getRoom: ['GET', '/api/rooms/{room}', 's'],
  updateRoom: ['PATCH', '/api/rooms/{room}', 'sb'],
  removeRoom: ['DELETE', '/api/rooms/{room}', 's'],
  listMembers: ['GET', '/api/rooms/{room}/members', 's'],
  setMember: ['PUT', '/api/rooms/{room}/members/{username}', 'sb'],
  removeMember: ['DELETE', '/api/rooms/{room}/members/{username}', 's'],
  openDirectRoom: ['PUT', '/api/rooms/direct/{username}', 's'],
} as const

export const channelPath = '/'
export const subprotocol = 'parley.v1'
export const refusalsSubprotocol = 'parley.refusals'
export const tokenSubprotocolPrefix = 'bearer.'
export const idempotencyKeyPattern = /^(?=.{1,64}$)[!-~]*$/
/** In code points. */
export const maxMessageLength = 4096

/** Close codes of accepted connections. */
export const disconnectedCode = 1000
export const protocolErrorCode = 1002
export const binaryFrameCode = 1003
export const slowReaderCode = 1006
export const silentClientCode = 1006
export const invalidTextCode = 1007
export const rateLimitedCode = 1008
export const frameTooLargeCode = 1009
export const internalErrorCode = 1011
export const restartCode = 1012
export const tokenExpiredCode = 3000
export const loggedOutCode = 3000
export const accountRemovedCode = 3000
/** The reason of the close code, where the client depends on it. */
export const rateLimitedReason = 'rate-limit-exceeded'
/** Close codes of refused handshakes, by the status of the refusal. */
export const refused400Code = 1008
export const refused401Code = 3000
export const refused403Code = 3003
export const refused422Code = 1008
export const refused429Code = 1013
export const refused500Code = 1013
export const refused503Code = 1013

export interface components {
    schemas: {
        /** @enum {string} */
        ApiVersion: "1";
        /** @description Unique regardless of case. */
        Username: string;
        /**
         * Format: password
         * @description Any characters. The pattern refuses unpaired surrogates, which are not characters.
         */
        Password: string;
        /** @description Opaque. Only compare it for equality. */
        UserId: string;
        User: {
            id: components["schemas"]["UserId"];
            username: components["schemas"]["Username"];
        };
        RegisterRequest: {
            username: components["schemas"]["Username"];
            password: components["schemas"]["Password"];
        };
        RegisterResponse: {
            /** @constant */
            message: "User registered successfully";
            user: components["schemas"]["User"];
        };
        /** @description Less strict than a registration, so that a login does not reveal the registration rules. */
        LoginRequest: {
            username: string;
            /** Format: password */
            password: string;
        };
        LoginResponse: {
            /** @constant */
            message: "Login successful";
            token: components["schemas"]["Token"];
        };
        LogoutRequest: {
            /**
             * @description Whether to revoke all tokens of the user.
             * @default false
             */
            everywhere?: boolean;
        };
        LogoutResponse: {
            /** @constant */
            message: "Logout successful";
        };
        RefreshResponse: {
            /** @constant */
            message: "Token refreshed successfully";
            token: components["schemas"]["Token"];
        };
        ChangePasswordRequest: {
            /** Format: password */
            currentPassword: string;
            newPassword: components["schemas"]["Password"];
        };
        ChangePasswordResponse: {
            /** @constant */
            message: "Password changed successfully";
            token: components["schemas"]["Token"];
        };
        DeleteProfileRequest: {
            /** Format: password */
            password: string;
            /**
             * @description Whether to erase the messages of the user, too.
             * @default false
             */
            eraseMessages?: boolean;
        };
        DeleteProfileResponse: {
            /** @constant */
            message: "Account deleted successfully";
        };
        /**
         * Format: date-time
         * @description The time at which a token expires, in UTC with milliseconds (RFC 3339).
         */
        ExpiryTime: string;
        /** @description A JSON Web Token. It is opaque to clients. */
        Token: string;
        ProfileResponse: {
            user: components["schemas"]["User"];
        };
        /** @description The pattern refuses unpaired surrogates, which are not characters. */
        MessageText: string;
        SendMessageRequest: {
            message: components["schemas"]["MessageText"];
            room?: components["schemas"]["RoomId"];
        };
        SendMessageResponse: {
            /** @constant */
            message: "Message sent successfully";
        };
        /** @description Opaque. It identifies a message and its position in the log, and serves as a cursor. */
        MessageId: string;
        /** @description Chosen by the sender. It is unique for a user, and within each room, as long as the message is stored. */
        IdempotencyKey: string;
        /**
         * Format: date-time
         * @description The time when the server stored the message, in UTC with milliseconds (RFC 3339).
         */
        Timestamp: string;
        /**
         * @description A message as every client receives it. The WebSocket frame and the entry in a page of messages
         *     are the same.
         */
        ChatMessage: {
            /** @constant */
            event: "message";
            id: components["schemas"]["MessageId"];
            /** @description The room that the message was sent to; absent if it was sent to all users. */
            room?: components["schemas"]["RoomId"];
            message: components["schemas"]["MessageText"];
            user: components["schemas"]["User"];
            sentAt: components["schemas"]["Timestamp"];
            idempotencyKey?: components["schemas"]["IdempotencyKey"];
        };
        /** @description Opaque. It identifies a room. */
        RoomId: string;
        /** @description Any characters. The pattern refuses unpaired surrogates, which are not characters. */
        RoomName: string;
        /**
         * @description Which messages a member may read: `all` messages of the room, or only those from the times when the
         *     user was a member (`joined`). It never changes.
         * @enum {string}
         */
        RoomHistory: "all" | "joined";
        /**
         * @description Owners add and remove members, and rename and remove the room.
         * @enum {string}
         */
        Role: "owner" | "member";
        Room: {
            id: components["schemas"]["RoomId"];
            name: components["schemas"]["RoomName"];
            /** @description Whether the room is listed, and every user may join it. */
            public: boolean;
            history: components["schemas"]["RoomHistory"];
            /** @description Whether it is the room of two users. Its name consists of both usernames. */
            direct: boolean;
        };
        Member: {
            user: components["schemas"]["User"];
            role: components["schemas"]["Role"];
        };
        CreateRoomRequest: {
            name: components["schemas"]["RoomName"];
            /**
             * @description Whether the room is listed, and every user may join it.
             * @default false
             */
            public?: boolean;
            /** @description The default is `joined`; a public room has to have `all`, which is its default. */
            history?: components["schemas"]["RoomHistory"];
            /** @description Users who become members at once, in addition to the user of the token. */
            members?: components["schemas"]["Username"][];
        };
        CreateRoomResponse: {
            /** @constant */
            message: "Room created successfully";
            room: components["schemas"]["Room"];
        };
        RoomPage: {
            rooms: components["schemas"]["Room"][];
            /** @description The cursor of the next page; null if there is none. */
            next: components["schemas"]["RoomId"] | null;
        };
        RoomResponse: {
            room: components["schemas"]["Room"];
        };
        UpdateRoomRequest: {
            name: components["schemas"]["RoomName"];
        };
        UpdateRoomResponse: {
            /** @constant */
            message: "Room updated successfully";
            room: components["schemas"]["Room"];
        };
        RemoveRoomResponse: {
            /** @constant */
            message: "Room removed successfully";
        };
        MemberPage: {
            members: components["schemas"]["Member"][];
            /** @description The number of all members of the room. */
            count: number;
            /** @description The cursor of the next page; null if there is none. */
            next: components["schemas"]["UserId"] | null;
        };
        SetMemberRequest: {
            role?: components["schemas"]["Role"];
        };
        SetMemberResponse: {
            /** @constant */
            message: "Member saved successfully";
            member: components["schemas"]["Member"];
        };
        RemoveMemberResponse: {
            /** @constant */
            message: "Member removed successfully";
        };
        OpenDirectRoomResponse: {
            /** @constant */
            message: "Room opened successfully";
            room: components["schemas"]["Room"];
        };
        MessagePage: {
            messages: components["schemas"]["ChatMessage"][];
            /** @description The cursor of the next page in the same direction; null if there is none. */
            next: components["schemas"]["MessageId"] | null;
            /**
             * @description A cursor for the end of the log, valid for `after` even if the log is empty. A client that
             *     reads the history and then connects with `after=<head>` misses nothing in between.
             */
            head: components["schemas"]["MessageId"];
        };
        /**
         * Format: uuid
         * @description Identifies the request in the server's log.
         */
        RequestId: string;
        /** @description Identifies the problem. Its meaning never changes. `x-problems` explains each code. */
        ProblemCode: string;
        /** @description Problem details (RFC 9457). */
        Problem: {
            /**
             * Format: uri-reference
             * @description The page that explains this problem type, relative to this server.
             */
            type: string;
            title: string;
            status: number;
            detail: string;
            /**
             * Format: uri
             * @description Identifies this occurrence of the problem.
             */
            readonly instance: string;
            code: components["schemas"]["ProblemCode"];
            requestId: components["schemas"]["RequestId"];
            errors?: components["schemas"]["ValidationError"][];
            supportedVersions?: string[];
        };
        ValidationError: {
            /**
             * Format: json-pointer
             * @description A JSON pointer (RFC 6901) into the body or the frame, or the name of a query parameter or
             *     header after a slash. A name of more than 64 characters is
             *     shortened and ends in an ellipsis.
             */
            pointer: string;
            detail: string;
        };
        /** @description A problem that lists the errors and their locations in the request. */
        ValidationProblem: components["schemas"]["Problem"] & Record<string, never>;
        ConnectQuery: {
            after?: components["schemas"]["MessageId"];
            /**
             * @description Also receive the messages and events of all rooms of the user.
             * @enum {string}
             */
            rooms?: "mine";
        };
        ConnectHeaders: {
            Authorization?: string;
            "API-Version"?: components["schemas"]["ApiVersion"];
            Origin?: string;
            "Sec-WebSocket-Protocol"?: string;
            traceparent?: string;
        };
        SendFrame: {
            /**
             * @default message
             * @constant
             */
            event?: "message";
            message: components["schemas"]["MessageText"];
            room?: components["schemas"]["RoomId"];
            idempotencyKey?: components["schemas"]["IdempotencyKey"];
        };
        DisconnectFrame: {
            /** @constant */
            event: "disconnect";
        };
        ErrorFrame: {
            /** @constant */
            event: "error";
            problem: components["schemas"]["Problem"];
            idempotencyKey?: components["schemas"]["IdempotencyKey"];
            /** @description Seconds to wait before the next attempt. */
            readonly retryAfter?: number;
        };
        GapFrame: {
            /** @constant */
            event: "gap";
            /**
             * @description The id of the oldest stored message, which follows this frame; null if no message is stored. With
             *     `room`, the oldest entry of the room that the client has not received.
             */
            oldest: components["schemas"]["MessageId"] | null;
            /** @description A cursor from which the client can resume, for example if the connection ends before the next frame. */
            cursor: components["schemas"]["MessageId"];
            /** @description The room whose entries were removed; absent if messages to all users were. */
            room?: components["schemas"]["RoomId"];
        };
        CaughtUpFrame: {
            /** @constant */
            event: "caught-up";
            /** @description The end of the log. A client that resumes from it receives only later messages. */
            cursor: components["schemas"]["MessageId"];
        };
        StoredFrame: {
            /** @constant */
            event: "stored";
            id: components["schemas"]["MessageId"];
            idempotencyKey: components["schemas"]["IdempotencyKey"];
        };
        PingFrame: {
            /** @constant */
            event: "ping";
        };
        PongFrame: {
            /** @constant */
            event: "pong";
        };
        AuthenticateFrame: {
            /** @constant */
            event: "authenticate";
            token: components["schemas"]["Token"];
        };
        AuthenticatedFrame: {
            /** @constant */
            event: "authenticated";
            /** @description The time at which the connection ends, unless it is extended again. */
            expiresAt: components["schemas"]["ExpiryTime"];
        };
        /** @description The user who caused the event. It is null if the operator caused it, or if the server made a member an owner. */
        Actor: components["schemas"]["User"] | null;
        JoinedFrame: {
            /** @constant */
            event: "joined";
            id: components["schemas"]["MessageId"];
            room: components["schemas"]["Room"];
            user: components["schemas"]["User"];
            role: components["schemas"]["Role"];
            by: components["schemas"]["Actor"];
            sentAt: components["schemas"]["Timestamp"];
        };
        LeftFrame: {
            /** @constant */
            event: "left";
            id: components["schemas"]["MessageId"];
            room: components["schemas"]["RoomId"];
            user: components["schemas"]["User"];
            by: components["schemas"]["Actor"];
            sentAt: components["schemas"]["Timestamp"];
        };
        RoomChangedFrame: {
            /** @constant */
            event: "room-changed";
            id: components["schemas"]["MessageId"];
            room: components["schemas"]["Room"];
            by: components["schemas"]["Actor"];
            sentAt: components["schemas"]["Timestamp"];
        };
        RoomRemovedFrame: {
            /** @constant */
            event: "room-removed";
            id: components["schemas"]["MessageId"];
            room: components["schemas"]["RoomId"];
            by: components["schemas"]["Actor"];
            sentAt: components["schemas"]["Timestamp"];
        };
        RegisterUserInput: components["schemas"]["RegisterRequest"];
        RegisterUserOutput: components["schemas"]["RegisterResponse"];
        LoginUserInput: components["schemas"]["LoginRequest"];
        LoginUserOutput: components["schemas"]["LoginResponse"];
        LogoutUserInput: components["schemas"]["LogoutRequest"];
        LogoutUserOutput: components["schemas"]["LogoutResponse"];
        RefreshTokenInput: Record<string, never>;
        RefreshTokenOutput: components["schemas"]["RefreshResponse"];
        GetProfileInput: Record<string, never>;
        GetProfileOutput: components["schemas"]["ProfileResponse"];
        DeleteProfileInput: components["schemas"]["DeleteProfileRequest"];
        DeleteProfileOutput: components["schemas"]["DeleteProfileResponse"];
        ChangePasswordInput: components["schemas"]["ChangePasswordRequest"];
        ChangePasswordOutput: components["schemas"]["ChangePasswordResponse"];
        SendMessageInput: components["schemas"]["SendMessageRequest"];
        SendMessageOutput: components["schemas"]["SendMessageResponse"];
        ListMessagesInput: {
            room?: components["schemas"]["RoomId"];
            after?: components["schemas"]["MessageId"];
            before?: components["schemas"]["MessageId"];
            /** @default 50 */
            limit?: number;
        };
        ListMessagesOutput: components["schemas"]["MessagePage"];
        GetMessageInput: {
            id: components["schemas"]["MessageId"];
        };
        GetMessageOutput: components["schemas"]["ChatMessage"];
        CreateRoomInput: components["schemas"]["CreateRoomRequest"];
        CreateRoomOutput: components["schemas"]["CreateRoomResponse"];
        ListRoomsInput: {
            /**
             * @default mine
             * @enum {string}
             */
            scope?: "mine" | "public";
            after?: components["schemas"]["RoomId"];
            /** @default 50 */
            limit?: number;
        };
        ListRoomsOutput: components["schemas"]["RoomPage"];
        GetRoomInput: {
            room: components["schemas"]["RoomId"];
        };
        GetRoomOutput: components["schemas"]["RoomResponse"];
        UpdateRoomInput: components["schemas"]["UpdateRoomRequest"] & {
            room: components["schemas"]["RoomId"];
        };
        UpdateRoomOutput: components["schemas"]["UpdateRoomResponse"];
        RemoveRoomInput: {
            room: components["schemas"]["RoomId"];
        };
        RemoveRoomOutput: components["schemas"]["RemoveRoomResponse"];
        ListMembersInput: {
            room: components["schemas"]["RoomId"];
            after?: components["schemas"]["UserId"];
            /** @default 50 */
            limit?: number;
        };
        ListMembersOutput: components["schemas"]["MemberPage"];
        SetMemberInput: components["schemas"]["SetMemberRequest"] & {
            room: components["schemas"]["RoomId"];
            username: components["schemas"]["Username"];
        };
        SetMemberOutput: components["schemas"]["SetMemberResponse"];
        RemoveMemberInput: {
            room: components["schemas"]["RoomId"];
            username: components["schemas"]["Username"];
        };
        RemoveMemberOutput: components["schemas"]["RemoveMemberResponse"];
        OpenDirectRoomInput: {
            username: components["schemas"]["Username"];
        };
        OpenDirectRoomOutput: components["schemas"]["OpenDirectRoomResponse"];
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}

export type Schemas = components['schemas']

/** The argument, the result and the problem codes of each operation. */
export interface Operations {
  registerUser: {
    input: Schemas['RegisterUserInput']
    output: Schemas['RegisterUserOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'registration-closed' | 'method-not-allowed' | 'username-taken' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'password-too-common' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded'
  }
  loginUser: {
    input: Schemas['LoginUserInput']
    output: Schemas['LoginUserOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'invalid-credentials' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded'
  }
  logoutUser: {
    input: Schemas['LogoutUserInput'] | undefined
    output: Schemas['LogoutUserOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  refreshToken: {
    input: Schemas['RefreshTokenInput'] | undefined
    output: Schemas['RefreshTokenOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'session-expired' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  getProfile: {
    input: Schemas['GetProfileInput'] | undefined
    output: Schemas['GetProfileOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  deleteProfile: {
    input: Schemas['DeleteProfileInput']
    output: Schemas['DeleteProfileOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'wrong-password' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded'
  }
  changePassword: {
    input: Schemas['ChangePasswordInput']
    output: Schemas['ChangePasswordOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'wrong-password' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'password-too-common' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded'
  }
  sendMessage: {
    input: Schemas['SendMessageInput']
    output: Schemas['SendMessageOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'idempotency-key-reused' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  listMessages: {
    input: Schemas['ListMessagesInput'] | undefined
    output: Schemas['ListMessagesOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'cursor-gone' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  getMessage: {
    input: Schemas['GetMessageInput']
    output: Schemas['GetMessageOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  createRoom: {
    input: Schemas['CreateRoomInput']
    output: Schemas['CreateRoomOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'room-creation-closed' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'idempotency-key-reused' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  listRooms: {
    input: Schemas['ListRoomsInput'] | undefined
    output: Schemas['ListRoomsOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  getRoom: {
    input: Schemas['GetRoomInput']
    output: Schemas['GetRoomOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  updateRoom: {
    input: Schemas['UpdateRoomInput']
    output: Schemas['UpdateRoomOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  removeRoom: {
    input: Schemas['RemoveRoomInput']
    output: Schemas['RemoveRoomOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  listMembers: {
    input: Schemas['ListMembersInput']
    output: Schemas['ListMembersOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  setMember: {
    input: Schemas['SetMemberInput']
    output: Schemas['SetMemberOutput']
    problems: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'last-owner' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  removeMember: {
    input: Schemas['RemoveMemberInput']
    output: Schemas['RemoveMemberOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
  openDirectRoom: {
    input: Schemas['OpenDirectRoomInput']
    output: Schemas['OpenDirectRoomOutput']
    problems: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'room-creation-closed' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down'
  }
}

/** The codes of all problems. A later release may add codes. */
export type ProblemCode = 'malformed-json' | 'malformed-handshake' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'invalid-credentials' | 'session-expired' | 'origin-not-allowed' | 'wrong-password' | 'registration-closed' | 'user-mismatch' | 'not-owner' | 'room-creation-closed' | 'not-found' | 'method-not-allowed' | 'username-taken' | 'room-limit-exceeded' | 'last-owner' | 'cursor-gone' | 'content-too-large' | 'unsupported-media-type' | 'unsupported-websocket-version' | 'validation-failed' | 'password-too-common' | 'idempotency-key-reused' | 'rate-limit-exceeded' | 'login-throttled' | 'too-many-sockets' | 'internal-error' | 'hashing-overloaded' | 'storage-unavailable' | 'shutting-down' | 'sockets-exhausted'

export type ServerFrame = Schemas['ChatMessage'] | Schemas['ErrorFrame'] | Schemas['GapFrame'] | Schemas['CaughtUpFrame'] | Schemas['StoredFrame'] | Schemas['PongFrame'] | Schemas['AuthenticatedFrame'] | Schemas['JoinedFrame'] | Schemas['LeftFrame'] | Schemas['RoomChangedFrame'] | Schemas['RoomRemovedFrame']

/** Why the server ended a connection whose token is no longer valid. */
export type TokenCloseReason = 'token-expired' | 'logged-out' | 'account-removed'
