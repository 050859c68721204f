"""What lies in which storage class: what stores told of each copy, and sums of it that triggers keep up to date."""
