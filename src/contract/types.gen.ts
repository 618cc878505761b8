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
         * @description Usernames are unique whatever the case of their letters, and keep the case they were
         *     registered with. Passwords that everyone tries first are refused.
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
         * @description An unknown username and a wrong password get the same answer, after the same time. Past a few
         *     failures for one username, each further attempt has to wait, up to a minute; a success
         *     forgets them, and no username is ever locked for good.
         */
        post: operations["loginUser"];
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
         * @description A 200 means that the message is on disk: it reaches everyone who is connected, and everyone
         *     who reconnects, exactly once and in the same order for all.
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
         * Read the messages that are kept, in their order.
         * @description Without a cursor: the newest messages. With `after` or `before` (not both): those that follow
         *     or precede a message. A page is always in the order of sending, oldest first. Where there is
         *     more in the same direction, `next` is the cursor for it: give it as `after` when the page
         *     was asked for with `after`, otherwise as `before`.
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
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @enum {string} */
        ApiVersion: "1";
        /** @description Unique whatever the case of its letters. */
        Username: string;
        /**
         * Format: password
         * @description Any characters. The pattern excludes half of a surrogate pair, which is no character.
         */
        Password: string;
        /** @description Opaque; compare it, and nothing else. */
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
        /** @description Looser than a registration, so that a login tells nothing about its rules. */
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
        /** @description A JSON Web Token; opaque to its bearer. */
        Token: string;
        ProfileResponse: {
            user: components["schemas"]["User"];
        };
        /** @description The pattern excludes half of a surrogate pair, which is no character. */
        MessageText: string;
        SendMessageRequest: {
            message: components["schemas"]["MessageText"];
        };
        SendMessageResponse: {
            /** @constant */
            message: "Message sent successfully";
        };
        /** @description Opaque. It names a message and its place in the log, and serves as a cursor. */
        MessageId: string;
        /** @description Chosen by the sender; unique for a user as long as the message is kept. */
        IdempotencyKey: string;
        /**
         * Format: date-time
         * @description When the server stored it, in UTC, to the millisecond (RFC 3339).
         */
        Timestamp: string;
        /** @description A message as everyone gets it: the WebSocket's frame, and a member of a page, are the same. */
        ChatMessage: {
            /** @constant */
            event: "message";
            id: components["schemas"]["MessageId"];
            message: components["schemas"]["MessageText"];
            user: components["schemas"]["User"];
            sentAt: components["schemas"]["Timestamp"];
            idempotencyKey?: components["schemas"]["IdempotencyKey"];
        };
        MessagePage: {
            messages: components["schemas"]["ChatMessage"][];
            /** @description The cursor for the next page in the same direction; null where there is none. */
            next: components["schemas"]["MessageId"] | null;
        };
        /**
         * Format: uuid
         * @description Names the request in the server's log.
         */
        RequestId: string;
        /**
         * @description What went wrong; its meaning never changes. `x-problems` explains each.
         * @enum {string}
         */
        ProblemCode: "malformed-json" | "unsupported-api-version" | "missing-token" | "invalid-token" | "invalid-credentials" | "origin-not-allowed" | "not-found" | "method-not-allowed" | "username-taken" | "cursor-gone" | "content-too-large" | "unsupported-media-type" | "validation-failed" | "password-too-common" | "idempotency-key-reused" | "rate-limit-exceeded" | "login-throttled" | "too-many-sockets" | "internal-error" | "hashing-overloaded" | "storage-unavailable" | "shutting-down" | "sockets-exhausted";
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
             * @description Names this occurrence.
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
             * @description A JSON pointer (RFC 6901) into the body or the frame, or to a query parameter or a header
             *     by its name. A name of more than 64 characters is shortened and ends in an ellipsis.
             */
            pointer: string;
            detail: string;
        };
        /** @description A problem that says where in the request it lies. */
        ValidationProblem: components["schemas"]["Problem"] & Record<string, never>;
        ConnectQuery: {
            after?: components["schemas"]["MessageId"];
        };
        ConnectHeaders: {
            Authorization?: string;
            "API-Version"?: components["schemas"]["ApiVersion"];
            Origin?: string;
            "Sec-WebSocket-Protocol"?: string;
        };
        SendFrame: {
            /**
             * @default message
             * @constant
             */
            event?: "message";
            message: components["schemas"]["MessageText"];
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
            /** @description The oldest message that is kept, which follows; null where none is. */
            oldest: components["schemas"]["MessageId"] | null;
        };
    };
    responses: {
        /** @description The API version is not supported. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no token, or it is not valid. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Nothing is at this path. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description This path has other methods, named in `Allow`. */
        MethodNotAllowed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is larger than `x-limits` allows. */
        ContentTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not declared as `application/json`. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The cursor in the URL is malformed, or there is another query parameter. */
        UnprocessableCursor: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationProblem"];
            };
        };
        /** @description The policy's quota is used up. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many connections from this address, or of this user. */
        TooManyConnections: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server failed, and wrote down why under the `requestId`. */
        InternalServerError: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server cannot do this now; nothing of it was done. */
        Unavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server cannot do this now; nothing of it was done. */
        HashingUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server takes no further connection now. */
        ConnectionsUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "API-Version": components["headers"]["API-Version"];
                "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
        /** @description The version that the client was written for. Without it, the version of the URL. */
        ApiVersion: components["schemas"]["ApiVersion"];
        /**
         * @description Makes sending twice sending once (draft-ietf-httpapi-idempotency-key-header): 1 to 64 visible
         *     ASCII characters, as the draft's quoted string or bare; unique for a user as long as the
         *     message is kept. The same key with the same message gets the same answer and no second
         *     broadcast.
         * @example "8e03978e-40d5-43dd-bc93-6894a57f9324"
         */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: {
        /** @description Names this request in the server's log. */
        "X-Request-Id": components["schemas"]["RequestId"];
        /** @description The version that answered. */
        "API-Version": "1";
        /** @description The media type is to be taken as it is declared. */
        "X-Content-Type-Options": "nosniff";
        /** @description This URL is not to be told to other sites. */
        "Referrer-Policy": "no-referrer";
        /**
         * @description The policy that counted this request: its name, its quota `q` and its window `w` in seconds
         *     (draft-ietf-httpapi-ratelimit-headers). Absent only where the operator has turned limits off.
         * @example "login";q=10;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description What remains (`r`) until the window ends in `t` seconds.
         * @example "login";r=9;t=60
         */
        RateLimit: string;
        /**
         * @description Seconds to wait before the next attempt.
         * @example 30
         */
        "Retry-After": string;
        /** @description The scheme to authenticate with, and what was wrong with the token (RFC 6750). */
        "WWW-Authenticate": "Bearer" | "Bearer error=\"invalid_token\"";
        /**
         * @description The methods that this path has.
         * @example POST
         */
        Allow: string;
        /** @description The answer carries a token, which no cache may keep. */
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
                /** @description The version that the client was written for. Without it, the version of the URL. */
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
            /** @description The user exists from now on. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegisterResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            405: components["responses"]["MethodNotAllowed"];
            /** @description Someone has this username. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
            /** @description The body is JSON, and breaks its schema, or the password is too common. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
                /** @description The version that the client was written for. Without it, the version of the URL. */
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
            /** @description The token to send with protected requests. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            /** @description No user has this username and this password. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
            /** @description The body is JSON, and breaks its schema. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ValidationProblem"];
                };
            };
            /** @description Too many requests from this address, or too many failures for this username. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["HashingUnavailable"];
        };
    };
    getProfile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the client was written for. Without it, the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user of the token. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
    sendMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description The version that the client was written for. Without it, the version of the URL. */
                "API-Version"?: components["parameters"]["ApiVersion"];
                /**
                 * @description Makes sending twice sending once (draft-ietf-httpapi-idempotency-key-header): 1 to 64 visible
                 *     ASCII characters, as the draft's quoted string or bare; unique for a user as long as the
                 *     message is kept. The same key with the same message gets the same answer and no second
                 *     broadcast.
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
            /** @description The message is stored and on its way to everyone who is connected. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendMessageResponse"];
                };
            };
            400: components["responses"]["BadRequestBody"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /**
             * @description The body is JSON, and breaks its schema; or the idempotency key is malformed, or was used
             *     for another message.
             */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
                /** @description Messages that follow this one. */
                after?: components["schemas"]["MessageId"];
                /** @description Messages that precede this one. Not together with `after`. */
                before?: components["schemas"]["MessageId"];
                /** @description How many messages at the most. */
                limit?: number;
            };
            header?: {
                /** @description The version that the client was written for. Without it, the version of the URL. */
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
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
            405: components["responses"]["MethodNotAllowed"];
            /**
             * @description The messages after this cursor are not all kept any more, or the cursor is of another log.
             *     Read the newest messages, and page back with `before`.
             */
            410: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A query parameter breaks its schema, is unknown, or excludes another one. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "API-Version": components["headers"]["API-Version"];
                    "X-Content-Type-Options": components["headers"]["X-Content-Type-Options"];
                    "Referrer-Policy": components["headers"]["Referrer-Policy"];
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
}

/** The status of each problem code. */
export interface ProblemStatus {
    'malformed-json': 400;
    'unsupported-api-version': 400;
    'missing-token': 401;
    'invalid-token': 401;
    'invalid-credentials': 401;
    'origin-not-allowed': 403;
    'not-found': 404;
    'method-not-allowed': 405;
    'username-taken': 409;
    'cursor-gone': 410;
    'content-too-large': 413;
    'unsupported-media-type': 415;
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

/** The query parameters of each operation that have a default. */
export interface QueryDefaults {
    listMessages: { limit: true };
}

export type CloseCodeName = 'disconnected' | 'binary-frame' | 'slow-reader' | 'invalid-text' | 'rate-limited' | 'frame-too-large' | 'internal-error' | 'restart' | 'token-expired' | 'account-removed';
