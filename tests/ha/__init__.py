"""Three PostgreSQL nodes under Patroni, etcd and HAProxy on one machine, and what is done to them: `python -m tests.ha` (`make test-ha`)."""
