"""Couriers: memory for tests and simulation, kombu for RabbitMQ, PostgreSQL (pgmq) and Amazon SQS."""
