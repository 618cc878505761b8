CREATE TABLE `entries` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`room` integer NOT NULL,
	`audience` text,
	`kind` text NOT NULL,
	`user_id` text,
	`idempotency_key` text,
	`sent_at` integer NOT NULL,
	`frame` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `entries_room` ON `entries` (`room`,`sequence`);--> statement-breakpoint
CREATE UNIQUE INDEX `entries_idempotency_key_unique` ON `entries` (`user_id`,`room`,`idempotency_key`) WHERE "entries"."idempotency_key" is not null;--> statement-breakpoint
CREATE TABLE `memberships` (
	`user_id` text NOT NULL,
	`room` integer NOT NULL,
	`from_sequence` integer NOT NULL,
	`through_sequence` integer NOT NULL,
	`role` text NOT NULL,
	PRIMARY KEY(`user_id`, `room`, `from_sequence`)
);
--> statement-breakpoint
CREATE INDEX `memberships_room` ON `memberships` (`room`,`through_sequence`,`user_id`);--> statement-breakpoint
CREATE TABLE `room_requests` (
	`id` integer PRIMARY KEY NOT NULL,
	`request` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `rooms` (
	`number` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`public` integer NOT NULL,
	`history` text NOT NULL,
	`direct_pair` text,
	`created_by` text NOT NULL,
	`idempotency_key` text,
	`request` text,
	`trimmed_through` integer DEFAULT 0 NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rooms_id_unique` ON `rooms` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `rooms_direct_pair_unique` ON `rooms` (`direct_pair`) WHERE "rooms"."direct_pair" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `rooms_idempotency_key_unique` ON `rooms` (`created_by`,`idempotency_key`) WHERE "rooms"."idempotency_key" is not null;--> statement-breakpoint
CREATE INDEX `rooms_public` ON `rooms` (`id`) WHERE "rooms"."public" and "rooms"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `rooms_ended` ON `rooms` (`number`) WHERE "rooms"."ended_at" is not null;--> statement-breakpoint
ALTER TABLE `message_log` ADD `forgotten_through` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `leaves_rooms` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `users_leaves_rooms` ON `users` (`id`) WHERE "users"."leaves_rooms";