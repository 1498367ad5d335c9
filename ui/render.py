"""Records -> HTML. Pure: it decides nothing, reads nothing, and escapes every word it is given.

Each fragment is one line without line breaks, because a chat message passes through a Markdown reader,
which leaves a block of HTML alone only up to the next empty line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from agent.types import ConversationInfo, Explanation, ProfileEntry, Reply, Turn
from retrieval.types import Item, Recommendation
from ui.marks import button, icon, one_line, prose, quoted, words

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("You like", ("liked",)),
    ("Looking for", ("wants", "people", "years", "language", "max_minutes", "audience", "long_tail")),
    ("Rather not", ("avoids", "disliked")),
    ("Already seen", ("seen",)),
)
_ACTIONS = (
    ("liked", "like", "Like"),
    ("disliked", "dislike", "Not for me"),
    ("seen", "seen", "Seen it"),
)
QUOTE_LENGTH = 90


BAR = (
    '<header class="tb-bar"><button type="button" class="tb-icon tb-phone" data-drawer="left" '
    f'aria-expanded="false" aria-controls="tb-left" aria-label="Conversations">{icon("list")}</button>'
    f'<h1>{icon("bud")}Tastebud</h1><span class="tb-space"></span>'
    '<button type="button" class="tb-icon" data-theme-switch '
    f'aria-label="Switch between light and dark">{icon("theme")}</button>'
    '<button type="button" class="tb-icon tb-phone" data-drawer="right" '
    f'aria-expanded="false" aria-controls="tb-right" aria-label="Your taste">{icon("like")}</button></header>'
)
"""The bar at the top: the two drawers of a phone, the name, light or dark."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """How to look up what a card shows, so that this module need not know where it is kept.

    Each takes an item_id. `item`: the catalogue's record; `cover`: what goes into `<img src>`;
    `feedback`: "liked", "disliked", "seen" or None. `why`: explanations that are open, by item_id.
    """

    item: Callable[[str], Item]
    cover: Callable[[str], str]
    feedback: Callable[[str], str | None]
    why: dict[str, Explanation] = field(default_factory=dict)


def said(text: str) -> str:
    """What the user said."""
    return f'<div class="tb-said" dir="auto">{words(text)}</div>'


def speech(text: str, unfinished: bool = False) -> str:
    """What Tastebud said."""
    return f'<div class="tb-say" dir="auto">{prose(text, unfinished)}</div>'


def notice(text: str) -> str:
    """Something that went wrong, said calmly."""
    return f'<div class="tb-notice" role="alert" dir="auto">{words(text)}</div>'


def thinking() -> str:
    """Stands where the reply will be, with the height of its first line."""
    return '<div class="tb-say tb-thinking"><span></span><span></span><span></span></div>'


def transcript(turns: Iterable[Turn], shelf: Shelf) -> list[dict[str, str]]:
    """The whole conversation as chat messages (`role`, `content`)."""
    messages = []
    for turn in turns:
        messages.append(message("user", said(turn.message)))
        messages.append(message("assistant", answer(turn.reply, shelf)))
    return messages


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def answer(reply: Reply | None, shelf: Shelf) -> str:
    """A finished reply: its words and its cards. None: the process died before it came."""
    if reply is None:
        return notice("This message got no answer: the program stopped first. Send it again if you like.")
    return f'<div class="tb-turn">{speech(reply.text)}{cards(reply.items, shelf)}</div>'


def cards(items: Sequence[Recommendation], shelf: Shelf) -> str:
    """The cards of one reply, as a list; empty without items."""
    if not items:
        return ""
    each = "".join(f"<li>{card(found, shelf)}</li>" for found in items)
    return f'<ul class="tb-cards" data-count="{min(len(items), 3)}">{each}</ul>'


def card(found: Recommendation, shelf: Shelf) -> str:
    """One item: cover, title, year, genres, what it is about, why it fits, what can be done with it."""
    item = shelf.item(found.item_id)
    feedback, explained = shelf.feedback(found.item_id), shelf.why.get(found.item_id)
    about = [str(item.year)] if item.year is not None else []
    about += (*item.genres[:3], *item.directors[:1], *((f"{item.minutes} min",) if item.minutes else ()))
    reason = "; ".join(reason.text for reason in found.reasons[:2])
    why = f'<p class="tb-why" dir="auto">{prose(_sentence(reason))}</p>' if reason else ""
    plot = f'<p class="tb-plot" dir="auto">{words(item.description)}</p>' if item.description else ""
    return (
        f'<article class="tb-card" data-feedback="{feedback or ""}">'
        f'<img class="tb-cover" src="{quoted(shelf.cover(item.item_id))}" alt="" width="400" height="500">'
        f'<div class="tb-about"><h3 dir="auto">{words(item.title)}</h3>'
        f'<p class="tb-meta">{words(" · ".join(about))}</p>{plot}{why}'
        f"{_actions(item, feedback, explained is not None)}</div>"
        f"{_explanation(explained) if explained else ''}</article>"
    )


def _actions(item: Item, feedback: str | None, explained: bool) -> str:
    buttons = "".join(
        button(
            "rate",
            icon(kind),
            f"tb-act tb-{kind}",
            value=kind,
            item=item.item_id,
            label=f"{label}: {item.title}",
            pressed=feedback == name,
        )
        for name, kind, label in _ACTIONS
    )
    why = button(
        "why", "why?", "tb-act tb-ask", item=item.item_id, label=f"Why {item.title}?", expanded=explained
    )
    return f'<div class="tb-actions">{buttons}{why}</div>'


def _explanation(explanation: Explanation) -> str:
    top = max((abs(c.weight) for c in explanation.contributions), default=0.0) or 1.0
    bars = "".join(_bar(c.label, c.weight, abs(c.weight) / top) for c in explanation.contributions)
    bars = f'<ul class="tb-bars">{bars}</ul>' if bars else ""
    options = chips(explanation.options, "Answers")
    return f'<div class="tb-explained" dir="auto">{prose(explanation.text)}{bars}{options}</div>'


def _bar(label: str, weight: float, share: float) -> str:
    side = "against" if weight < 0 else "for"
    return (
        f'<li class="tb-{side}"><span dir="auto">{words(label)}</span><span class="tb-heard">{side}, '
        f'{share:.0%} of the strongest</span><i style="inline-size:{share:.0%}"></i></li>'
    )


def chips(options: Sequence[str], label: str = "Quick replies") -> str:
    """Quick replies: one tap sends the text of the chip as a message."""
    if not options:
        return ""
    each = "".join(button("say", words(option), "tb-chip", value=option) for option in options)
    return f'<div class="tb-chips" role="group" aria-label="{quoted(label)}">{each}</div>'


def welcome(reply: Reply, examples: Sequence[str]) -> str:
    """The first screen of a conversation: the greeting, and prompts to try."""
    each = "".join(
        f"<li>{button('say', prose(text), 'tb-example', value=text.replace('*', ''))}</li>"
        for text in examples
    )
    tries = f'<ul class="tb-examples" aria-label="Examples to try">{each}</ul>' if each else ""
    return f'<div class="tb-welcome"><p class="tb-greeting" dir="auto">{prose(reply.text)}</p>{tries}</div>'


def status(text: str, busy: bool) -> str:
    """The slim line: what is happening, or how the last answer came about."""
    state = "tb-busy" if busy else "tb-idle"
    return f'<p class="tb-status {state}" role="status" aria-live="polite">{words(text)}</p>'


def conversations(infos: Sequence[ConversationInfo], current: str | None) -> str:
    """The list on the left, most recent first; the open one is marked."""
    new = button("fresh", f"{icon('plus')}New conversation", "tb-new")
    each = "".join(
        "<li>"
        + button(
            "open",
            f'<span dir="auto">{one_line(info.title, 60) or "Untitled"}</span>',
            "tb-past",
            value=info.conversation_id,
            current=info.conversation_id == current,
        )
        + "</li>"
        for info in infos
    )
    past = f'<h2>Conversations</h2><ul class="tb-pasts">{each}</ul>' if each else ""
    return f'<nav class="tb-nav" aria-label="Conversations">{new}{past}</nav>'


def profile(entries: Sequence[ProfileEntry], long_tail: float = 0.0) -> str:
    """The taste profile on the right: the slider, and each entry with the message that set it and a cross."""
    parts = ['<section class="tb-profile" aria-label="Your taste"><h2>Your taste</h2>', _slider(long_tail)]
    if not entries:
        parts.append('<p class="tb-empty">What you tell me shows here, and you can take it back.</p>')
    for heading, slots in _GROUPS:
        lines = "".join(_entry(entry) for entry in entries if entry.slot in slots)
        if lines:
            parts.append(f"<h3>{heading}</h3><ul>{lines}</ul>")
    return "".join(parts) + _FORGET + "</section>"


def _slider(long_tail: float) -> str:
    """From well-known items to hidden gems, in tenths."""
    return (
        '<div class="tb-reach"><input type="range" id="tb-reach" min="0" max="1" step="0.1" '
        f'value="{long_tail:.2g}" data-reach data-key="reach" aria-label="How far to reach for hidden gems" '
        f'aria-valuetext="{long_tail:.0%}"><div aria-hidden="true"><span>Well known</span>'
        "<span>Hidden gems</span></div></div>"
    )


_FORGET = (
    '<div class="tb-forget"><button type="button" class="tb-quiet" data-reveal="tb-confirm" '
    'aria-expanded="false" aria-controls="tb-confirm" data-key="forget">Forget me</button>'
    '<div id="tb-confirm" hidden><p>This deletes every conversation and everything kept about you, '
    "for good.</p>"
    '<button type="button" class="tb-danger" data-act="wipe" data-key="wipe">Delete everything</button>'
    '<button type="button" class="tb-quiet" data-reveal="tb-confirm" data-key="keep">Keep it</button>'
    "</div></div>"
)


def _entry(entry: ProfileEntry) -> str:
    quote = ""
    if entry.quote is not None:
        quote = f'<q dir="auto">{one_line(entry.quote, QUOTE_LENGTH)}</q>'
    else:
        origin = "from an earlier conversation" if entry.turn is None else "from a card"
        origin = "set with the slider" if entry.slot == "long_tail" else origin
        quote = f"<small>{origin}</small>"
    cross = button(
        "drop",
        icon("cross"),
        "tb-cross",
        value=entry.value,
        slot=entry.slot,
        label=f"Remove {entry.label} from your taste",
    )
    label = f'<b dir="auto">{one_line(entry.label, QUOTE_LENGTH)}</b>'
    return f'<li data-slot="{entry.slot}"><div>{label}{quote}</div>{cross}</li>'


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text else text
