"""The kinds of policies: each module defines a policy and its `KIND`, and is found by its file."""
