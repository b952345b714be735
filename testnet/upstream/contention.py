"""What a rollout costs the network: block time, missed signatures and sync rates by stage, beside a network that was left alone.

Heights, times and signatures are the chain's own (headers and commits by RPC); the stages are the rollout's, by its log."""

from datetime import datetime
from html import escape
from statistics import mean, quantiles


def chain(node, first, last):
    """(height, seconds since the block before, signatures that are missing, whether the validator set is another) for each height."""
    rows, before, before_set = [], None, None
    for height in range(first, last + 1):
        signed = node.call("commit", height=str(height))["signed_header"]
        # Nanoseconds are more than datetime reads.
        text = signed["header"]["time"].rstrip("Z")[:26]
        now = datetime.fromisoformat(text + "+00:00").timestamp()
        missing = sum(each["block_id_flag"] == 1 for each in signed["commit"]["signatures"])
        if before is not None:
            rows.append((height, now - before, missing, signed["header"]["validators_hash"] != before_set))
        before, before_set = now, signed["header"]["validators_hash"]
    return rows


def stages(facts):
    """[(stage, first height, last height, [(node, heights it caught up, seconds)])] of a log."""
    found, rates, started, stopped, first, last = [], [], {}, {}, 0, 0
    for each in facts:
        at, fact = each["at_ms"], each["fact"]
        kind = fact["kind"]
        if kind == "sampled":
            last = fact["sample"]["to_height"]
            first = first or fact["sample"]["after_height"] + 1
        elif kind == "begun" and fact["action"] == "stop":
            stopped[fact["node"]] = last
        elif kind == "begun" and fact["action"] == "start":
            started[fact["node"]] = at
        elif kind == "in_service" and fact["node"] in started:
            height = next(one["height"] for one in fact["evidence"] if one["measure"] == "height_lag")
            node = fact["node"]
            rates.append((node, height - stopped[node], (at - started.pop(node)) / 1000))
        elif kind == "promoted":
            found.append((fact["stage"], first, last, rates))
            rates, first = [], last + 1
    return found


def line(name, rows, rates, quiet_mean):
    times = [row[1] for row in rows]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    missed, changes = sum(row[2] for row in rows), sum(row[3] for row in rows)
    sync = ", ".join(f"{node} {heights / seconds:.1f} ({heights} in {seconds:.1f} s)" for node, heights, seconds in rates if seconds) or "-"
    return (f"| {name} | {rows[0][0]}-{rows[-1][0]} | {mean(times):.3f} | {p95:.3f} | {mean(times) / quiet_mean - 1:+.0%} | {missed} "
            f"| {changes} | {sync} |")


def table(quiet, busy, found):
    quiet_mean = mean(row[1] for row in quiet)
    lines = ["| network, stage | heights | mean block time s | 95th percentile s | beside left alone | missed signatures "
             "| validator-set changes | sync rate, heights/s |",
             "|---|---|---|---|---|---|---|---|", line("left alone", quiet, [], quiet_mean)]
    for name, first, last, rates in found:
        rows = [row for row in busy if first <= row[0] <= last]
        lines.append(line(f"rolled out, {name}", rows, rates, quiet_mean))
    lines.append(line("rolled out, all stages", busy, [], quiet_mean))
    return "\n".join(lines)


WIDTH, HEIGHT, LEFT, TOP = 900, 320, 60, 40
COLOURS = ["#dbe9f6", "#eef5db", "#fbe8d3"]


def polyline(rows, x, y, colour):
    points = " ".join(f"{x(at):.1f},{y(seconds):.1f}" for at, (_, seconds, *_) in enumerate(rows))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def picture(quiet, busy, found):
    """Block time by height of both networks; stages as bands, missed signatures as marks at the foot."""
    top = max(row[1] for row in quiet + busy) * 1.1
    count = max(len(quiet), len(busy))

    def x(at):
        return LEFT + at * (WIDTH - LEFT - 20) / max(count - 1, 1)

    def y(seconds):
        return HEIGHT - 40 - seconds * (HEIGHT - 40 - TOP) / top

    base = busy[0][0]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for colour, (name, first, last, _) in zip(COLOURS, found):
        from_x, to_x = x(max(first - base, 0)), x(last - base)
        parts.append(f'<rect x="{from_x:.1f}" y="{TOP}" width="{max(to_x - from_x, 1):.1f}" height="{HEIGHT - 40 - TOP}" fill="{colour}"/>')
        parts.append(f'<text x="{from_x + 4:.1f}" y="{TOP + 14}">{escape(name)}</text>')
    for step in range(5):
        seconds = top * step / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y(seconds):.1f}" y2="{y(seconds):.1f}" stroke="#ccc"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(seconds) + 4:.1f}" text-anchor="end">{seconds:.2f} s</text>')
    parts += [polyline(quiet, x, y, "#888888"), polyline(busy, x, y, "#1f5fa8")]
    parts += [f'<rect x="{x(at):.1f}" y="{HEIGHT - 38}" width="2" height="{6 * missing}" fill="#c0392b"/>'
              for at, (_, _, missing, _) in enumerate(busy) if missing]
    parts.append(f'<text x="{LEFT}" y="20">Block time by height: <tspan fill="#1f5fa8">rolled out, stage by stage</tspan>, '
                 f'<tspan fill="#888888">left alone</tspan>; <tspan fill="#c0392b">missed signatures</tspan> below</text>')
    parts.append(f'<text x="{WIDTH - 20}" y="{HEIGHT - 6}" text-anchor="end">{count} heights</text></svg>')
    return "\n".join(parts)


def write(report, quiet, busy, facts):
    """Writes the table and the picture into the folder `report`; gives the table."""
    found = stages(facts)
    text = table(quiet, busy, found)
    (report / "contention.svg").write_text(picture(quiet, busy, found))
    (report / "contention.md").write_text(f"# What the rollout cost the network\n\n{text}\n\n![block time by height](contention.svg)\n")
    return text
