"""The SQL of the sender. Times go in as text with their zone, ids as arrays, the rest as JSON."""

from __future__ import annotations

#: Whoever holds this lock is the sender; its session is also the one that commits, so whoever loses the
#: lock can release nothing more.
LEADERSHIP = 7_362_011

LEDGER = {
    "lead": f"SELECT pg_try_advisory_lock({LEADERSHIP})",
    # $1 number of the group, $2 ids; gives how many of them it allowed
    "begin": """
        INSERT INTO bulk_begun (id, deliveries)
        SELECT $1::bigint, array_agg(id) FROM bulk_delivery
        WHERE id = ANY($2::bigint[]) AND state = 'claimed' HAVING count(*) > 0
        RETURNING cardinality(deliveries)""",
    # $1 number of the group
    "begun_of": "SELECT unnest(deliveries) FROM bulk_begun WHERE id = $1::bigint",
    # $1 numbers of groups of which every delivery has an outcome
    "over": "DELETE FROM bulk_begun WHERE id = ANY($1::bigint[])",
    # $1 numbers of groups, $2 ids of deliveries that may be claimed again while others are still begun
    "leave": """
        UPDATE bulk_begun SET deliveries = ARRAY(
            SELECT one FROM unnest(deliveries) AS one WHERE one <> ALL($2::bigint[]))
        WHERE id = ANY($1::bigint[])""",
    # $1 ids, $2 their answers separated by U+001F, $3 now, $4 relay
    "sent": r"""
        UPDATE bulk_delivery AS d
        SET state = 'sent', attempts = d.attempts + 1, settled_at = $3::timestamptz,
            first_tried_at = coalesce(d.first_tried_at, $3::timestamptz),
            relay = $4, code = 250, enhanced = '', answer = o.answer
        FROM unnest($1::bigint[], string_to_array($2, E'\x1f')) AS o (id, answer)
        WHERE d.id = o.id AND d.state <> 'sent'""",
    # $1 [{id, state, code, enhanced, answer, relay, next_at, tried, reason}], $2 now
    "settle": """
        UPDATE bulk_delivery AS d
        SET state = CASE WHEN o.state = 'returned'
                THEN CASE WHEN d.attempts > 0 THEN 'deferred' ELSE 'pending' END ELSE o.state END,
            attempts = d.attempts + o.tried,
            first_tried_at = CASE WHEN o.tried > 0 THEN coalesce(d.first_tried_at, $2::timestamptz)
                ELSE d.first_tried_at END,
            settled_at = CASE WHEN o.state = 'failed' THEN $2::timestamptz END,
            next_at = coalesce(o.next_at, d.next_at),
            code = coalesce(o.code, d.code),
            enhanced = coalesce(o.enhanced, d.enhanced),
            answer = coalesce(o.answer, d.answer),
            relay = coalesce(o.relay, d.relay),
            reason = coalesce(o.reason, d.reason)
        FROM json_to_recordset($1::json) AS o (id bigint, state text, code int, enhanced text, answer text,
            relay text, next_at timestamptz, tried int, reason text)
        WHERE d.id = o.id AND d.state IN ('claimed', 'begun')""",
    # $1 run, then what is added: $2 sent $3 failed $4 deferred $5 ambiguous $6 repeated; $7 now
    "count": """
        UPDATE bulk_run
        SET sent = sent + $2::int, failed = failed + $3::int, deferred = greatest(0, deferred + $4::int),
            ambiguous = ambiguous + $5::int, repeated = repeated + $6::int,
            first_sent_at = CASE WHEN $2::int > 0 THEN coalesce(first_sent_at, $7::timestamptz)
                ELSE first_sent_at END,
            last_sent_at = CASE WHEN $2::int > 0 THEN $7::timestamptz ELSE last_sent_at END
        WHERE id = $1::bigint""",
    # $1 domain, $2 why, $3 now
    "block": """
        INSERT INTO bulk_domainlane (domain, paused_at, paused_reason, is_paused_by_hand, changed_at)
        VALUES ($1, $3::timestamptz, $2, false, $3::timestamptz)
        ON CONFLICT (domain) DO UPDATE
        SET paused_at = $3::timestamptz, paused_reason = $2, is_paused_by_hand = false,
            reported_at = NULL, changed_at = $3::timestamptz
        WHERE bulk_domainlane.paused_at IS NULL""",
    # What a killed sender left: nobody can be at it, for this session holds the lock.
    "recover_claimed": """
        UPDATE bulk_delivery AS d SET state = CASE WHEN d.attempts > 0 THEN 'deferred' ELSE 'pending' END
        FROM bulk_run AS r
        WHERE r.sent + r.failed + r.skipped < r.total AND d.run_id = r.id AND d.state = 'claimed'
            AND d.id NOT IN (SELECT unnest(deliveries) FROM bulk_begun)""",
    "forget_begun": "DELETE FROM bulk_begun",
    "recover_begun": """
        WITH unclear AS (
            UPDATE bulk_delivery AS d
            SET state = CASE WHEN r.after_crash = 'hold' THEN 'begun'
                    WHEN d.attempts > 0 THEN 'deferred' ELSE 'pending' END,
                reason = CASE WHEN r.after_crash = 'hold' THEN 'held' ELSE d.reason END
            FROM bulk_run AS r
            WHERE r.sent + r.failed + r.skipped < r.total AND d.run_id = r.id
                AND d.reason <> 'held' AND (d.state = 'begun' OR d.state = 'claimed'
                    AND d.id IN (SELECT unnest(deliveries) FROM bulk_begun))
            RETURNING d.run_id, r.after_crash = 'hold' AS held
        )
        UPDATE bulk_run AS r SET ambiguous = r.ambiguous + u.many, repeated = r.repeated + u.again
        FROM (SELECT run_id, count(*) AS many, count(*) FILTER (WHERE NOT held) AS again
              FROM unclear GROUP BY run_id) AS u
        WHERE r.id = u.run_id
        RETURNING u.many""",
}

DESK = {
    "now": "SELECT extract(epoch FROM clock_timestamp())",
    "now_moved": """
        SELECT extract(epoch FROM clock_timestamp()) + coalesce(
            (SELECT extract(epoch FROM "offset") FROM demonstration_clockoffset WHERE id = 1), 0)""",
    "sender": "SELECT paused_at IS NOT NULL FROM bulk_senderstate WHERE id = 1",
    # What is neither sent, failed nor skipped is on its way.
    "runs": """
        SELECT id, state = 'running', after_crash FROM bulk_run WHERE sent + failed + skipped < total""",
    "lanes": """
        SELECT domain, limit_per_minute, pace_per_minute, paused_at IS NOT NULL FROM bulk_domainlane
        WHERE limit_per_minute IS NOT NULL OR pace_per_minute IS NOT NULL OR paused_at IS NOT NULL""",
    # $1 run, $2 now, $3 domains with enough, $4 how many, $5 and $6 where the last claim ended
    "claim": """
        WITH ready AS (
            SELECT id FROM bulk_delivery
            WHERE run_id = $1::bigint AND is_waiting AND next_at <= $2::timestamptz
                AND domain <> ALL($3::text[]) AND (next_at, id) > ($5::timestamptz, $6::bigint)
            ORDER BY next_at, id LIMIT $4::int FOR UPDATE SKIP LOCKED
        )
        UPDATE bulk_delivery AS d SET state = 'claimed' FROM ready WHERE d.id = ready.id
        RETURNING d.id, d.edition_id, d.check_in_id, d.worker_id, d.name, d.address, d.domain, d.issued_at,
            d.attempts, d.first_tried_at, d.next_at""",
    # $1 ids
    "editions": """
        SELECT e.id, e.sender, e.shared, encode(t.compiled, 'base64')
        FROM bulk_edition AS e JOIN bulk_template AS t ON t.id = e.template_id
        WHERE e.id = ANY($1::bigint[])""",
    # $1 ids
    "release": """
        UPDATE bulk_delivery SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'pending' END
        WHERE id = ANY($1::bigint[]) AND state = 'claimed'""",
    # $1 [{domain, pace}], $2 now
    "pace": """
        INSERT INTO bulk_domainlane (domain, pace_per_minute, is_paused_by_hand, paused_reason, changed_at)
        SELECT o.domain, o.pace, false, '', $2::timestamptz
        FROM json_to_recordset($1::json) AS o (domain text, pace float8)
        ON CONFLICT (domain) DO UPDATE
        SET pace_per_minute = excluded.pace_per_minute, changed_at = excluded.changed_at""",
    # $1 now, $2 in flight, $3 rate, $4 relays
    "alive": """
        INSERT INTO bulk_senderstate (id, paused_reason, alive_at, in_flight, rate_per_minute, relays)
        VALUES (1, '', $1::timestamptz, $2::int, $3::float8, $4::jsonb)
        ON CONFLICT (id) DO UPDATE SET alive_at = excluded.alive_at, in_flight = excluded.in_flight,
            rate_per_minute = excluded.rate_per_minute, relays = excluded.relays""",
}
