"""Loopback forges that speak GitHub's and GitLab's REST APIs, as far as pull requests and merge requests go."""
