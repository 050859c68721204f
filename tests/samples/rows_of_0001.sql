-- Rows as services of the first schema (0001) wrote them, in every state there is. Recorded once; never changed.
INSERT INTO locations (id, provider, bucket, title) VALUES
    ('cold', 'amazon-s3', 'archive', 'Cold'), ('azure', 'azure-blob-storage', 'replicas', 'Azure');

INSERT INTO bag_versions (space, external_identifier, version, created_date, info, checksum_algorithm, file_count,
                          bytes, pins, files_key, files_sha256)
SELECT 'digitised', 'b' || n, 1, '2026-01-01Z', '{"externalIdentifier": "b"}', 'sha256', 3, 9,
       jsonb_build_object('bagit.txt', repeat('a', 64)), 'records/b' || n, repeat('b', 64)
FROM generate_series(1, 9) AS n;

INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)
SELECT id, 'cold', 'E1', 'primary' FROM bag_versions;

-- 1 planning, 2 transferring, 3 aggregating, 4 registering, 5 registered, 6 failed, 7 planning after an error,
-- 8 transferring with a thaw that waits, 9 transferring with a claim that a dead worker left.
INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id, destination_id,
                     status, options, error_code, created_at, finished_at)
SELECT ('00000000-0000-4000-8000-00000000000' || id)::uuid, 'backfill', space, external_identifier, version, id, 'cold',
       'azure',
       CASE id WHEN 1 THEN 'accepted' WHEN 5 THEN 'succeeded' WHEN 6 THEN 'failed' ELSE 'processing' END,
       '{"tier": "Bulk", "restoredDays": 3}', CASE id WHEN 6 THEN 'attempts_exhausted' END,
       '2026-01-01Z'::timestamptz + make_interval(secs => id::int), CASE WHEN id IN (5, 6) THEN '2026-01-02Z'::timestamptz END
FROM bag_versions;

INSERT INTO ingest_events (ingest_id, description, once)
SELECT id, 'Planning started', 'planning:started' FROM ingests WHERE status <> 'accepted';

INSERT INTO replicas (bag_version_id, location_id, source_id, ingest_id, lane, state, file_count, bytes, pins,
                      error_code, fence, attempts, not_before, due_at, progress, last_error)
SELECT bag_version_id, 'azure', 'cold', id, 'backfill',
       (ARRAY['planning', 'transferring', 'aggregating', 'registering', 'registered', 'failed', 'planning',
              'transferring', 'transferring'])[bag_version_id],
       CASE WHEN bag_version_id NOT IN (1, 7) THEN 3 END, CASE WHEN bag_version_id NOT IN (1, 7) THEN 9 END,
       CASE WHEN bag_version_id NOT IN (1, 7) THEN jsonb_build_object('bagit.txt', repeat('a', 64)) END,
       error_code, 4, CASE bag_version_id WHEN 7 THEN 2 ELSE 0 END, '2026-01-01Z', '2026-01-01Z',
       CASE bag_version_id WHEN 7 THEN '{"asked": {}}'::jsonb ELSE '{}' END,
       CASE bag_version_id WHEN 7 THEN 'StoreUnavailable: timeout' END
FROM ingests;

-- Three files of a bag each have a segment.
INSERT INTO segments (replica_id, ingest_id, number, state, files, file_count, bytes, fence, attempts, claimed_by,
                      lease_until, not_before, due_at, progress)
SELECT replica.id, replica.ingest_id, n, state.of[n],
       jsonb_build_array(jsonb_build_object('path', 'data/' || n, 'key', 'v1/data/' || n, 'size', 3, 'etag', 'e',
                                            'checksums', jsonb_build_object('sha256', repeat('0', 64)))),
       1, 3, 7, CASE WHEN replica.id = 9 THEN 1 ELSE 0 END,
       CASE WHEN replica.id = 9 THEN 'backfill_replicator@gone:1' END,
       CASE WHEN replica.id = 9 THEN '2026-01-01Z'::timestamptz END, '2026-01-01Z', '2026-01-01Z',
       CASE WHEN replica.id = 8 THEN '{"asked": {"digitised/b8/v1/data/1": "2026-01-01T00:00:00+00:00"}}'::jsonb
            ELSE '{}' END
FROM replicas replica
JOIN (VALUES (2, ARRAY['thawing', 'copying', 'verifying']), (3, ARRAY['verified', 'verified', 'verified']),
             (4, ARRAY['verified', 'verified', 'verified']), (5, ARRAY['verified', 'verified', 'verified']),
             (6, ARRAY['failed', 'cancelled', 'verified']), (8, ARRAY['thawing', 'thawing', 'verified']),
             (9, ARRAY['copying', 'copying', 'verified'])) AS state (bag, of) ON state.bag = replica.bag_version_id
CROSS JOIN generate_series(1, 3) AS n
ORDER BY replica.id, n;

INSERT INTO evidence (bag_version_id, location_id, ingest_id, segment_id, path, key, outcome, evidence_class, expected,
                      measured, bytes, etag, started_at, microseconds, worker, build, attempt)
SELECT replica.bag_version_id, 'azure', segment.ingest_id, segment.id, 'data/' || segment.number,
       'digitised/b' || replica.bag_version_id || '/v1/data/' || segment.number, 'match', 'E3',
       jsonb_build_object('sha256', repeat('0', 64)), jsonb_build_object('sha256', repeat('0', 64)), 3, 'e',
       '2026-01-01Z', 250000, 'verifier@old:1', 'verifier 0.1.0', 1
FROM segments segment JOIN replicas replica ON replica.id = segment.replica_id WHERE segment.state = 'verified';

INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role) VALUES (5, 'azure', 'E3', 'replica');

INSERT INTO imports (location_id, prefix, state, registered, finished_at, progress) VALUES
    ('cold', 'a/', 'walking', 0, NULL, '{"after": "a/b1"}'), ('cold', 'b/', 'finished', 9, '2026-01-02Z', '{}'),
    ('cold', 'c/', 'failed', 1, '2026-01-02Z', '{}');

INSERT INTO dead_letters (queue, body, kind, row_id, ingest_id, code, reason, attempts) VALUES
    ('backfill_replicator_copying_backfill', '{"segment_id":10,"type":"SegmentThawed"}', 'segment', 10,
     '00000000-0000-4000-8000-000000000006', 'attempts_exhausted', 'StoreUnavailable: timeout', 5),
    ('bag_warmer_planning_backfill', 'hello', NULL, NULL, NULL, 'not_a_hint', 'not JSON', 0);

INSERT INTO outbox (queue, body) VALUES ('bag_warmer_planning_backfill', '{"replica_id":1,"type":"ReplicaRequested"}');
