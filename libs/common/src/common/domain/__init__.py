"""The pure core: values and rules that decide, and do no input or output."""
