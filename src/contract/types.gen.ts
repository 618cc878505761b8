// Written by `bun run generate` from spec/openapi.yaml and spec/asyncapi.yaml. Do not edit.

export interface paths {
    "/api/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register a new user.
         * @description Usernames are unique regardless of case, and keep the case in which they were registered.
         *     The username of a deleted account stays reserved. The most common passwords are refused.
         */
        post: operations["registerUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in as a registered user and obtain an authentication token.
         * @description An unknown username and a wrong password get the same response after the same time. After
         *     several failed attempts for one username, each further attempt has to wait, up to a minute.
         *     A successful login clears the failures, and no username is ever locked permanently.
         */
        post: operations["loginUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out, on this device or everywhere.
         * @description Revokes the token of the request; with `everywhere`, all tokens of the user. Within a second,
         *     a revoked token is refused everywhere, and the WebSockets that it opened are closed. A token that
         *     was renewed from the revoked one stays valid unless `everywhere` is set.
         */
        post: operations["logoutUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew the token before it expires.
         * @description Returns a new token of the same user. The token of the request stays valid until it expires. A
         *     request has no body. After the longest session that the operator allows, counted from the login,
         *     the user has to log in again.
         */
        post: operations["refreshToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/profile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the user's profile information. */
        get: operations["getProfile"];
        put?: never;
        post?: never;
        /**
         * Delete the user's account.
         * @description All tokens and WebSockets of the user end. The username stays reserved, so that no other person
         *     can register under it. The user's messages remain, unless `eraseMessages` is set: then they
         *     disappear from the history and from replays, and clients receive no `gap` frame. Wrong passwords
         *     count as failed logins.
         */
        delete: operations["deleteProfile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the user's password.
         * @description Revokes all tokens of the user, including that of the request, and returns a new one. The
         *     WebSockets that the revoked tokens opened are closed. Wrong passwords count as failed logins.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chats/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a real-time message to all connected users.
         * @description Status 200 means that the message is on disk. Every client that is connected, or that
         *     reconnects and resumes, receives it exactly once. All clients receive the messages in the
         *     same order. With `room`, only the members of that room receive the message, on connections with
         *     `rooms=mine`.
         */
        post: operations["sendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chats/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the stored messages in order.
         * @description Without a cursor, the response contains the newest messages. With `after` or `before` (not
         *     both), it contains the messages that follow or precede the given one. A page is always in
         *     the order of the log, oldest first. If there are more messages in the same direction,
         *     `next` is the cursor of the next page: pass it as `after` if the request used `after`, and
         *     as `before` otherwise. Without `room`, these are the messages to all users; with `room`, those of
         *     a public room or of a room of the user. Where the history of a room is `joined`, they are those
         *     from the times when the user was a member.
         */
        get: operations["listMessages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chats/messages/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one message.
         * @description The message that `Content-Location` of a send identifies, as long as it is stored.
         */
        get: operations["getMessage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/rooms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List rooms.
         * @description With `scope=mine`, the rooms of the user; with `scope=public`, all public rooms. The order is
         *     fixed and has no meaning. `next` is the cursor of the next page.
         */
        get: operations["listRooms"];
        put?: never;
        /**
         * Create a room.
         * @description The user becomes the owner of the room, and the users in `members` become members. The same
         *     idempotency key with the same request returns the same room. A name does not have to be unique.
         *     The operator may keep the creation of rooms to themselves.
         */
        post: operations["createRoom"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/rooms/{room}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a room.
         * @description A public room, or a room of the user.
         */
        get: operations["getRoom"];
        put?: never;
        post?: never;
        /**
         * Remove a room.
         * @description Only owners may do this. The members receive `room-removed`, and the messages of the room can no
         *     longer be read. A client that was disconnected still receives what was sent before the removal
         *     when it resumes, as long as that is stored.
         */
        delete: operations["removeRoom"];
        options?: never;
        head?: never;
        /**
         * Rename a room.
         * @description Only owners may do this. The members receive `room-changed`.
         */
        patch: operations["updateRoom"];
        trace?: never;
    };
    "/api/rooms/{room}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the members of a room.
         * @description The members of a public room, or of a room of the user. The order is fixed and has no meaning.
         *     `next` is the cursor of the next page.
         */
        get: operations["listMembers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/rooms/{room}/members/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Add a member to a room, or change the role of a member.
         * @description Every user may join a public room by adding themselves. Everything else is for owners. Without
         *     `role`, a new member has the role `member`, and a member keeps the role. There are no invitations:
         *     whom an owner adds is a member at once, and may leave. The members receive `joined`, also for a new role.
         */
        put: operations["setMember"];
        post?: never;
        /**
         * Leave a room, or remove a member.
         * @description Every member may leave. Owners may remove others. The members and the user receive `left`. If the last
         *     owner leaves, the member who joined first becomes an owner. If the last member leaves, the room is
         *     removed.
         */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/rooms/direct/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Open the direct room with another user.
         * @description Two users have one direct room, which has no owners. It is created when one of them opens it for the
         *     first time; later it is the same room. A user who leaves it can no longer be written to in it, and only
         *     this user can join it again, by opening it.
         */
        put: operations["openDirectRoom"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
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
    };
    responses: {
        /** @description The API version is not supported. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON, or the API version is not supported. */
        BadRequestBody: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The handshake is malformed, or the API version is not supported. */
        BadHandshake: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The handshake names another version of the WebSocket protocol. */
        UpgradeRequired: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Sec-WebSocket-Version": components["headers"]["Sec-WebSocket-Version"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The token is missing or invalid. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The page's origin is not allowed to connect. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The password is not the one of the user. */
        WrongPassword: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No operation and no page has this path. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The room does not exist, or the user may not see it. */
        RoomNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The room does not exist, the user is not a member of it, or the other user has left this direct room. */
        MemberRoomNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The user may see the room, but is not an owner of it. */
        NotOwner: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The operator has closed the creation of rooms. */
        RoomCreationClosed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description One of the users has as many rooms as one user may have. */
        RoomLimitExceeded: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The path does not support this method. `Allow` lists the methods that it supports. */
        MethodNotAllowed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body exceeds the limit in `x-limits`. */
        ContentTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not declared as `application/json`, or it is compressed. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The cursor in the URL is malformed, or the URL has an unknown query parameter. */
        UnprocessableCursor: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationProblem"];
            };
        };
        /** @description The quota of the rate limit policy is used up, or too many passwords for this username were wrong. */
        TooManyAttempts: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The quota of the rate limit policy is used up. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many connections of this user, or from this address without a valid token. */
        TooManyConnections: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server failed. Its log has the cause under the `requestId`. */
        InternalServerError: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server cannot process the request now, and has stored nothing. */
        Unavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server cannot process the request now, and has stored nothing. */
        HashingUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server accepts no further connection now. */
        ConnectionsUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                traceresponse: components["headers"]["traceresponse"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "Cache-Control": components["headers"]["Cache-Control"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The API version that the client was written for. The default is the version of the URL. */
        ApiVersion: components["schemas"]["ApiVersion"];
        /**
         * @description Makes it safe to send a message again (draft-ietf-httpapi-idempotency-key-header). The key
         *     has 1 to 64 visible ASCII characters, as the draft's quoted string or without quotes, and
         *     is unique for a user, and within each room, as long as the message or the room is stored. The same key with the same message
         *     returns the same response and causes no second broadcast.
         * @example "8e03978e-40d5-43dd-bc93-6894a57f9324"
         */
        IdempotencyKey: string;
        /** @description The id of the room. */
        RoomId: components["schemas"]["RoomId"];
        /** @description The username, in any letter case. */
        MemberName: components["schemas"]["Username"];
    };
    requestBodies: never;
    headers: {
        /** @description Identifies this request in the server's log. */
        "X-Request-Id": components["schemas"]["RequestId"];
        /**
         * @description The trace of a request with a valid `traceparent`, and the span of the request in it. The format is
         *     that of `traceparent` (W3C Trace Context).
         * @example 00-4bf92f3577b34da6a3ce929d0e0e4736-8d2e3f6a1b9c0d4e-01
         */
        traceresponse: string;
        /** @description The API version of the response. */
        "API-Version": "1";
        /** @description Forbids browsers to guess another media type. */
        "X-Content-Type-Options": "nosniff";
        /** @description Forbids browsers to send this URL to other sites. */
        "Referrer-Policy": "no-referrer";
        /**
         * @description The policy that counted this request: its name, its quota `q` and its window `w` in seconds
         *     (draft-ietf-httpapi-ratelimit-headers). It is absent only if the operator has turned rate
         *     limits off.
         * @example "login";q=10;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description The number of requests that remain (`r`) until the window ends in `t` seconds.
         * @example "login";r=9;t=60
         */
        RateLimit: string;
        /**
         * @description Seconds to wait before the next attempt.
         * @example 30
         */
        "Retry-After": string;
        /** @description The authentication scheme, and the error if the token is invalid (RFC 6750). */
        "WWW-Authenticate": "Bearer" | "Bearer error=\"invalid_token\"";
        /**
         * @description The methods that this path supports.
         * @example POST
         */
        Allow: string;
        /**
         * @description The path of the stored message (RFC 9110, section 8.7). A repeated request with the same
         *     idempotency key has the path of the message that was stored first.
         * @example /api/chats/messages/4f7h2k9x-00000000001
         */
        "Content-Location": string;
        /** @description The version of the WebSocket protocol that the server supports. */
        "Sec-WebSocket-Version": "13";
        /**
         * @description When the token in the body expires, in UTC (RFC 3339). Renew it before this time. The clock of the
         *     client may be wrong: compare it with the `Date` header.
         * @example 2026-01-02T00:00:00.000Z
         */
        "Token-Expires-At": components["schemas"]["ExpiryTime"];
        /** @description No cache may store the response. */
        "Cache-Control": "no-store";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    registerUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegisterRequest"];
            };
        };
        responses: {
            /** @description The user was registered. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegisterResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            /** @description The operator has closed the registration. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            /** @description The username is already registered. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema, or the password is too common. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["HashingUnavailable"];
        };
    };
    loginUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description The login succeeded. The token authenticates protected requests. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "Token-Expires-At": components["headers"]["Token-Expires-At"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            /** @description The username is unknown or the password is wrong. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyAttempts"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["HashingUnavailable"];
        };
    };
    logoutUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogoutRequest"];
            };
        };
        responses: {
            /** @description The tokens are revoked. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogoutResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    refreshToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new token. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "Token-Expires-At": components["headers"]["Token-Expires-At"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefreshResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The token is missing or invalid, or its session is too old to be renewed. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token's user. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProfileResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeleteProfileRequest"];
            };
        };
        responses: {
            /** @description The account is deleted. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeleteProfileResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["WrongPassword"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyAttempts"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["HashingUnavailable"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePasswordRequest"];
            };
        };
        responses: {
            /** @description The password is changed. The new token replaces all others. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "Token-Expires-At": components["headers"]["Token-Expires-At"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePasswordResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["WrongPassword"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema, or the new password is too common. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyAttempts"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["HashingUnavailable"];
        };
    };
    sendMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
                /**
                 * @description Makes it safe to send a message again (draft-ietf-httpapi-idempotency-key-header). The key
                 *     has 1 to 64 visible ASCII characters, as the draft's quoted string or without quotes, and
                 *     is unique for a user, and within each room, as long as the message or the room is stored. The same key with the same message
                 *     returns the same response and causes no second broadcast.
                 * @example "8e03978e-40d5-43dd-bc93-6894a57f9324"
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendMessageRequest"];
            };
        };
        responses: {
            /** @description The message is stored and is being broadcast to all connected users. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Content-Location": components["headers"]["Content-Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendMessageResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["MemberRoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /**
             * @description The body is JSON but does not match its schema, or the idempotency key is malformed or was
             *     already used for another message.
             */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMessages: {
        parameters: {
            query?: {
                /** @description Return the messages of this room. */
                room?: components["schemas"]["RoomId"];
                /** @description Return the messages that follow this one. */
                after?: components["schemas"]["MessageId"];
                /** @description Return the messages that precede this one. It cannot be combined with `after`. */
                before?: components["schemas"]["MessageId"];
                /** @description The maximum number of messages in the page. */
                limit?: number;
            };
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of messages. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["RoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            /**
             * @description Some messages after this cursor have been removed, or the cursor is from another log. Read
             *     the newest messages and page back with `before`.
             */
            410: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A query parameter does not match its schema, is unknown, or cannot be combined with another one. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the message. */
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The message. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description No message with this id is stored. It may have been removed by the retention limits, its author or the operator. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listRooms: {
        parameters: {
            query?: {
                /** @description Which rooms to list. */
                scope?: "mine" | "public";
                /** @description Return the rooms that follow this one. */
                after?: components["schemas"]["RoomId"];
                /** @description The maximum number of rooms in the page. */
                limit?: number;
            };
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of rooms. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            /** @description A query parameter does not match its schema or is unknown. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createRoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
                /**
                 * @description Makes it safe to send a message again (draft-ietf-httpapi-idempotency-key-header). The key
                 *     has 1 to 64 visible ASCII characters, as the draft's quoted string or without quotes, and
                 *     is unique for a user, and within each room, as long as the message or the room is stored. The same key with the same message
                 *     returns the same response and causes no second broadcast.
                 * @example "8e03978e-40d5-43dd-bc93-6894a57f9324"
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRoomRequest"];
            };
        };
        responses: {
            /** @description The room was created. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreateRoomResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["RoomCreationClosed"];
            /** @description One of the members is not a user. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["RoomLimitExceeded"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema, or the idempotency key is malformed or was already used for another room. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getRoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoomResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["RoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeRoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The room is removed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemoveRoomResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["NotOwner"];
            404: components["responses"]["RoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    updateRoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateRoomRequest"];
            };
        };
        responses: {
            /** @description The room has the new name. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpdateRoomResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["NotOwner"];
            404: components["responses"]["RoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listMembers: {
        parameters: {
            query?: {
                /** @description Return the members that follow the one with this user id. */
                after?: components["schemas"]["UserId"];
                /** @description The maximum number of members in the page. */
                limit?: number;
            };
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["RoomNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            /** @description A query parameter does not match its schema or is unknown. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    setMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
                /** @description The username, in any letter case. */
                username: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetMemberRequest"];
            };
        };
        responses: {
            /** @description The user is a member of the room with this role. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetMemberResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["NotOwner"];
            /** @description The room does not exist, the user of the token may not see it, or no user has this name. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            /** @description The user or the room is at its limit, or the room would have no owner. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is JSON but does not match its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The id of the room. */
                room: components["parameters"]["RoomId"];
                /** @description The username, in any letter case. */
                username: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user is no longer a member of the room. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemoveMemberResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["NotOwner"];
            /** @description The room does not exist, the user of the token may not see it, or no member has this name. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
    openDirectRoom: {
        parameters: {
            query?: never;
            header?: {
                /** @description The API version that the client was written for. The default is the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path: {
                /** @description The username, in any letter case. */
                username: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The direct room of both users. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenDirectRoomResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["RoomCreationClosed"];
            /** @description No other user has this name. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    traceresponse: components["headers"]["traceresponse"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
            409: components["responses"]["RoomLimitExceeded"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["Unavailable"];
        };
    };
}

/** The status of each problem code. */
export interface ProblemStatus {
    'malformed-json': 400;
    'malformed-handshake': 400;
    'unsupported-api-version': 400;
    'missing-token': 401;
    'invalid-token': 401;
    'invalid-credentials': 401;
    'session-expired': 401;
    'origin-not-allowed': 403;
    'wrong-password': 403;
    'registration-closed': 403;
    'user-mismatch': 403;
    'not-owner': 403;
    'room-creation-closed': 403;
    'not-found': 404;
    'method-not-allowed': 405;
    'username-taken': 409;
    'room-limit-exceeded': 409;
    'last-owner': 409;
    'cursor-gone': 410;
    'content-too-large': 413;
    'unsupported-media-type': 415;
    'unsupported-websocket-version': 426;
    'validation-failed': 422;
    'password-too-common': 422;
    'idempotency-key-reused': 422;
    'rate-limit-exceeded': 429;
    'login-throttled': 429;
    'too-many-sockets': 429;
    'internal-error': 500;
    'hashing-overloaded': 503;
    'storage-unavailable': 503;
    'shutting-down': 503;
    'sockets-exhausted': 503;
}

/** The codes that explain why the service is not, or not completely, ready. */
export type ReadinessCode = 'draining' | 'storage-lost' | 'storage-unreachable' | 'storage-read-only' | 'changes-outdated' | 'log-outdated' | 'changes-fail';

/** The problem codes of each operation, from the examples of its responses. */
export interface OperationProblems {
    registerUser: 'malformed-json' | 'unsupported-api-version' | 'registration-closed' | 'method-not-allowed' | 'username-taken' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'password-too-common' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded';
    loginUser: 'malformed-json' | 'unsupported-api-version' | 'invalid-credentials' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded';
    logoutUser: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    refreshToken: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'session-expired' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    getProfile: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    deleteProfile: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'wrong-password' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded';
    changePassword: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'wrong-password' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'password-too-common' | 'rate-limit-exceeded' | 'login-throttled' | 'internal-error' | 'storage-unavailable' | 'shutting-down' | 'hashing-overloaded';
    sendMessage: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'idempotency-key-reused' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    listMessages: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'cursor-gone' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    getMessage: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    createRoom: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'room-creation-closed' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'idempotency-key-reused' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    listRooms: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'method-not-allowed' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    getRoom: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    updateRoom: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    removeRoom: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    listMembers: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-found' | 'method-not-allowed' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    setMember: 'malformed-json' | 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'last-owner' | 'content-too-large' | 'unsupported-media-type' | 'validation-failed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    removeMember: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'not-owner' | 'not-found' | 'method-not-allowed' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
    openDirectRoom: 'unsupported-api-version' | 'missing-token' | 'invalid-token' | 'room-creation-closed' | 'not-found' | 'method-not-allowed' | 'room-limit-exceeded' | 'rate-limit-exceeded' | 'internal-error' | 'storage-unavailable' | 'shutting-down';
}

/** The headers of each success response that the handler supplies. */
export interface ReplyHeaders {
    loginUser: 'Token-Expires-At';
    refreshToken: 'Token-Expires-At';
    changePassword: 'Token-Expires-At';
    sendMessage: 'Content-Location';
}

/** The query parameters of each operation that have a default. */
export interface QueryDefaults {
    listMessages: { limit: true };
    listRooms: { scope: true; limit: true };
    listMembers: { limit: true };
}

export type CloseCodeName = 'disconnected' | 'protocol-error' | 'binary-frame' | 'slow-reader' | 'silent-client' | 'invalid-text' | 'rate-limited' | 'frame-too-large' | 'internal-error' | 'restart' | 'token-expired' | 'logged-out' | 'account-removed';
