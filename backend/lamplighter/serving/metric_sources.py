"""The metrics of a server: each one line, with its name, what it means, and where its number is kept."""

from __future__ import annotations

import threading
import time

from lamplighter.serving.metrics.process_facts import count_descriptors, descriptor_limit
from lamplighter.serving.services import Services


def add_sources(services: Services) -> None:
    """Add every metric of a server to its counters. `docs/rest.md` lists them."""
    instruments = services.instruments
    add, gauge, seen = instruments.counters.add_counter, instruments.counters.add_gauge, instruments.traffic
    connections = services.connections
    queues, audit, supervisor = services.hub.queue_counts, instruments.audit, services.supervisor

    add("http_responses", "HTTP answers, by class of status.", lambda: seen.responses, label="class")
    add("http_refusals", "HTTP answers from 400 on, by status.", lambda: seen.refusals, label="status")
    add("websocket_closes", "Websockets that the server closed, by code.", lambda: seen.closes, label="code")
    add("sent_bytes", "Bytes of bodies and messages, by protocol.", lambda: seen.sent, label="protocol")
    add("connections", "Connections accepted.", lambda: connections.accepted)
    add("connections_ended", "Connections ended, by reason.", connections.ended_by_reason, label="reason")
    gauge("connections_open", "Connections that are open.", lambda: connections.open)
    gauge("websockets_open", "Websockets that are open.", lambda: connections.websockets)
    gauge("viewers", "Websockets that watch or play a run.", services.hub.viewer_count)
    gauge("class_viewers", "Viewers of the class with a socket.", lambda: services.class_hub.counts()[0])
    gauge(
        "class_behind",
        "Viewers of the class more than a second behind.",
        lambda: services.class_hub.counts()[1],
    )
    gauge("class_connections_open", "Open connections of the class.", lambda: services.class_connections.open)
    add("class_wrong_codes", "Wrong codes to join the class.", lambda: services.classroom.wrong_codes)
    add("queue_merges", "Times that queued frames became one for a slow viewer.", lambda: queues.merges)
    add("queue_merged_frames", "Frames that went into such merges.", lambda: queues.merged_frames)
    add("queue_drops", "Queued messages that newer ones replaced.", lambda: queues.drops)
    add("large_answers_made", "Large answers made.", lambda: services.answers.made)
    add(
        "large_answers_refused",
        "Large answers that found no slot.",
        lambda: services.response_limiter.refused,
    )
    add("slow_readers_dropped", "Clients dropped below the least rate.", lambda: services.pace.dropped)
    gauge("spool_bytes", "Bytes of answers that wait to be read.", lambda: services.answers.spooled_bytes)
    gauge("event_loop_lag_seconds", "Lag of the last minute.", instruments.lag.quantiles, label="quantile")
    gauge("threads", "Threads of the server.", threading.active_count)
    gauge("descriptors_open", "File descriptors that are open.", count_descriptors)
    gauge("descriptors_limit", "File descriptors that may be open.", descriptor_limit)
    add("worker_restarts", "Workers started again after a crash.", lambda: supervisor and supervisor.restarts)
    add("audit_lines", "Lines written to the audit log.", lambda: audit.written)
    add("audit_lines_lost", "Lines that could not be written there.", lambda: audit.lost)
    gauge("uptime_seconds", "Time since the server started.", lambda: time.monotonic() - instruments.started)
