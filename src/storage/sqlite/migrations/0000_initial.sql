CREATE TABLE `message_log` (
	`id` integer PRIMARY KEY NOT NULL,
	`incarnation` text NOT NULL,
	`trimmed_through` integer NOT NULL,
	CONSTRAINT "message_log_one_row" CHECK("message_log"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE `messages` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`idempotency_key` text,
	`sent_at` integer NOT NULL,
	`frame` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `messages_idempotency_key_unique` ON `messages` (`user_id`,`idempotency_key`) WHERE "messages"."idempotency_key" is not null;--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`username` text NOT NULL,
	`password_hash` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (lower("username"));