"""What the OpenAPI document says of the ingests API's routes: answers, shapes and examples."""
