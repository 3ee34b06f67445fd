"""Forges: pull requests on GitHub and merge requests on GitLab, through their REST APIs."""
