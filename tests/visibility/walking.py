"""Every address of all plugins, asked about a secret and about what there is not; the answers must be the same."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from rse_core.testing import as_person

#: Ids and names of nothing.
NOBODYS = 987_654_321
SLOTS = (
    "space", "space-side", "feed", "share", "bell", "navigation", "reactions", "comments", "comment_count", "comment-count",
    "report", "composer",
)  # fmt: skip
#: What is another one in each answer: tokens, cursors, nonces, and short digests of an object's name.
CHANGING = re.compile(r"-[0-9a-f]{9,12}\b|[A-Za-z0-9_\-]{20,}(\.[A-Za-z0-9_\-]+)*|\"etag\":\"[^\"]*\"")
HIDDEN = re.compile(r'<input type="hidden"[^>]*>')


def slip(word):
    """The word with a slip of the finger."""
    return f"{word[:4]}j{word[5:]}"


@dataclass
class Secret:
    """What there is, and what nobody else may read of it; ``ids`` by the names that addresses have for them."""

    key: str = "kwzsecret"
    words: dict[str, str] = field(
        default_factory=lambda: {
            part: f"qw{part}zk" for part in (
                "name", "purpose", "title", "body", "topic", "draft", "later", "hidden", "remark", "file", "alt", "page",
                "outside", "external", "reason", "message",
                "held", "binned", "report", "rule", "charter", "board", "column", "lane", "label", "card", "line",
            )
        }
    )  # fmt: skip
    ids: dict[str, int] = field(default_factory=dict)
    post: int = 0
    file: str = ""
    space: int = 0


class Walk:
    """Asks about the secret, and about what there is not, and compares."""

    def __init__(self, app, person, secret):
        self.client, self.secret = as_person(app.test_client(), person), secret
        self.rules = [rule for rule in app.url_map.iter_rules() if rule.rule != "/static/<path:filename>"]
        self.csrf = self.token()
        self.wrong: list[str] = []
        self.asked = 0

    def pairs(self, part):
        """A word of the secret, and a like one of nothing."""
        word = self.secret.words[part]
        return word, word.replace("qw", "vx").replace("zk", "zj")

    def queries(self):
        """What may be asked of an address: each time of the secret, and of nothing."""
        words, key, never = self.secret.words, self.secret.key, "kwznothing"
        post, nothing = f"feed.post:{self.secret.post}", f"feed.post:{NOBODYS}"
        ids = self.secret.ids
        yield {}, {}
        for ref, other in (
            (post, nothing),
            (f"communities.space:{self.secret.space}", f"communities.space:{NOBODYS}"),
            (f"comments.comment:{ids['comment_id']}", f"comments.comment:{NOBODYS}"),
        ):
            yield {"ref": ref, "q": "al", "capability": "feed.read"}, {"ref": other, "q": "al", "capability": "feed.read"}
        yield {"board": ids["board_id"], "column": ids["column_id"]}, {"board": NOBODYS, "column": NOBODYS}
        card, board = f"kanban.card:{ids['card_id']}", f"kanban.board:{ids['board_id']}"
        for ref in (card, board):
            none = f"{ref.partition(':')[0]}:{NOBODYS}"
            yield {"ref": ref, "about": ref, "q": "al", "capability": "kanban.read"}, {
                "ref": none, "about": none, "q": "al", "capability": "kanban.read",
            }  # fmt: skip
        rest = {"kind": "entity", "key": "north", "into": "autre", "visibility": "public", "capability": "feed.read"}
        yield rest, rest
        yield {"space": key, "q": "il"}, {"space": never, "q": "il"}
        for kind in ("space", "members"):
            yield {"audience": f"{kind}:{key}", "q": "al"}, {"audience": f"{kind}:{never}", "q": "al"}
        yield {"author": words["external"]}, {"author": self.pairs("external")[1]}
        for part in ("name", "body", "remark", "outside", "topic", "file", "alt", "page", "draft", "purpose", "card"):
            word, other = self.pairs(part)
            yield {"q": word}, {"q": other}
            # A slip of the finger away: nothing is proposed.
            yield {"q": slip(word)}, {"q": slip(other)}
        page, other = (f"/cercle/{word}" for word in self.pairs("page"))
        slots = ",".join(SLOTS)
        both = (
            {"address": at, "page": f"page:{at}", "url": at, "slots": slots, "ref": f"page:{at}"} for at in (page, other)
        )
        yield tuple(both)
        charter = ids["charter_id"]
        yield {"from": charter, "to": charter}, {"from": NOBODYS, "to": NOBODYS}
        yield {"text": "a", "topic": words["topic"]}, {"text": "a", "topic": self.pairs("topic")[1]}

    def values(self, rule):
        """What stands in the address itself: of the secret, and of nothing; several where it can be several things."""
        ids = self.secret.ids
        choices = []
        for name in sorted(rule.arguments):
            if name == "space" or (name == "key" and "spaces" in rule.rule):
                choices.append([(name, self.secret.key, "kwznothing")])
            elif name == "key" and "topics" in rule.rule:
                choices.append([(name, *self.pairs("topic"))])
            elif name == "key" and "files" in rule.rule:
                choices.append([(name, self.secret.file, "x" * len(self.secret.file))])
            elif name == "key":
                choices.append([(name, "n1", f"n{NOBODYS}"), (name, "b1", f"b{NOBODYS}")])
            elif name == "username" and "leavers" in rule.rule:
                choices.append([(name, "lou", "nobody")])
            elif name == "slot":
                choices.append([(name, slot, slot) for slot in SLOTS])
            elif name == "act":
                named = re.search(r"any\(([^)]*)\)", rule.rule)
                acts = named[1].split(", ") if named else ["change"]
                choices.append([(name, act, act) for act in acts])
            elif name in ids:
                choices.append([(name, ids[name], NOBODYS)])
            else:
                choices.append([(name, "x", "x")])
        return itertools.product(*choices)

    def addresses(self, method):
        adapter = self.client.application.url_map.bind("localhost", "/rse")
        for rule in self.rules:
            if method in rule.methods and not rule.endpoint.endswith("static"):
                for values in self.values(rule):
                    build = [{name: pair[side] for name, *pair in values} for side in (0, 1)]
                    yield rule, *(adapter.build(rule.endpoint, one, method=method, append_unknown=False) for one in build)

    def ask(self, method, path, query=None, body=None):
        headers = {"Accept-Language": "en"}
        if method != "GET":
            headers["X-RSE-CSRF"] = self.csrf
        answer = self.client.open(path, method=method, query_string=query, json=body, headers=headers)
        self.asked += 1
        said = f"{answer.get_data(as_text=True)}\n{answer.headers.get('Location', '')}"
        answer.close()
        return answer.status_code, said

    def token(self):
        answer = self.client.get("/rse/embed/slots?address=/news/1&slots=comments")
        return answer.headers.get("X-RSE-CSRF", "")

    def compare(self, method, where, other_where, first, second):
        """The same answer to both, and no word of the secret that was not typed."""
        (status, said), (other_status, other_said) = first, second
        mine = {**self.secret.words, "key": self.secret.key, "file key": self.secret.file}
        typed = [one for word in mine.values() for one in (word, slip(word)) if one in where]
        told = self.plain(said, typed)
        for part, word in mine.items():
            if word in told:
                place = told.index(word)
                self.wrong.append(f"{method} {where}: says its {part}: …{told[max(0, place - 80) : place + 60]!r}")
        others = [*(self.pairs(part)[1] for part in self.secret.words), "kwznothing", "x" * len(self.secret.file)]
        other = self.plain(other_said, [one for word in others for one in (word, slip(word)) if one in other_where])
        if status != other_status:
            self.wrong.append(f"{method} {where}: {status}, and {other_status} for what there is not: {said[:200]!r}")
        elif told != other:
            at = next((n for n, (a, b) in enumerate(zip(told, other, strict=False)) if a != b), min(len(told), len(other)))
            pieces = [text[max(0, at - 60) : at + 80] for text in (told, other)]
            self.wrong.append(f"{method} {where}: “{pieces[0]}” and “{pieces[1]}”")
        return other_status, other

    @staticmethod
    def plain(said, typed):
        """An answer but for what was typed, which may be repeated, for numbers, and for what differs each time."""
        said = HIDDEN.sub("", said)
        for word in sorted(typed, key=len, reverse=True):
            said = said.replace(word, "·")
        return re.sub(r"\d+", "#", CHANGING.sub("~", said))

    def read(self, *, everything):
        """Every address that is read, with every question that it takes notice of."""
        questions: dict[tuple, list] = {}
        for query, nothing in self.queries():
            questions.setdefault(tuple(query), []).append((query, nothing))
        for _rule, path, other in self.addresses("GET"):
            plain = self.read_one(path, other, {}, {})
            for asked in list(questions.values())[1:] if everything else ():
                # The first of each sort is always asked; the others where it made a difference.
                if self.read_one(path, other, *asked[0]) != plain:
                    for query, nothing in asked[1:]:
                        self.read_one(path, other, query, nothing)

    def read_one(self, path, other, query, nothing):
        where, other_where = f"{path} {query}", f"{other} {nothing}"
        first, second = self.ask("GET", path, query), self.ask("GET", other, nothing)
        return self.compare("GET", where, other_where, first, second)

    def write(self):
        """Every address of REST that is written to, with what fits it."""
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for rule, path, other in self.addresses(method):
                if not rule.rule.startswith("/api/"):
                    continue
                for body, nothing in self.bodies(rule.endpoint, method):
                    query = {name: value for name, value in body.items() if name == "ref"} if method == "DELETE" else None
                    no = {name: value for name, value in nothing.items() if name == "ref"} if method == "DELETE" else None
                    first = self.ask(method, path, query, None if method == "DELETE" else body)
                    second = self.ask(method, other, no, None if method == "DELETE" else nothing)
                    self.compare(method, f"{path} {body}", f"{other} {nothing}", first, second)

    def of_boards(self, name):
        """Bodies for boards and cards: elsewhere the secret's numbers stand in the address."""
        ids = self.secret.ids
        wanted = {
            "Boards": lambda one, key: {"place": f"space:{key}", "title": "x"},
            "OneBoard": lambda one, key: {"title": "x", "version": 1}, "Columns": lambda one, key: {"name": "x"},
            "OneColumn": lambda one, key: {"name": "x", "into": one["column_id"]}, "Lanes": lambda one, key: {"name": "x"},
            "OneLane": lambda one, key: {"name": "x"}, "Labels": lambda one, key: {"name": "x", "hue": 1},
            "Cards": lambda one, key: {"column": one["column_id"], "title": "x"},
            "OneCard": lambda one, key: {"title": "x", "version": 1},
            "Move": lambda one, key: {"column": one["column_id"], "version": 1},
            "MoveMany": lambda one, key: {"cards": [{"id": one["card_id"], "version": 1}], "column": one["column_id"]},
            "KanbanMany": lambda one, key: {"cards": [{"id": one["card_id"], "version": 1}], "act": "archive"},
            "KanbanAbout": lambda one, key: {"ref": f"kanban.card:{one['card_id']}"},
            "State": lambda one, key: {"state": "archived"},
            "Links": lambda one, key: {"other": one["card_id"], "kind": "relates"},
            "Items": lambda one, key: {"text": "x"}, "OneItem": lambda one, key: {"text": "x"},
            "KanbanPutBack": lambda one, key: {"version": 1},
        }.get(name, lambda one, key: {})  # fmt: skip
        yield wanted(ids, self.secret.key), wanted(dict.fromkeys(ids, NOBODYS), "kwznothing")

    def bodies(self, endpoint, method):
        """Bodies that are well formed, so that what is refused is the object."""
        name = endpoint.rpartition(".")[2]
        post, nothing = f"feed.post:{self.secret.post}", f"feed.post:{NOBODYS}"
        fixed = {
            "OnePost": {"body": "x", "version": 1}, "OneComment": {"body": "x", "version": 1}, "FeedAct": {"reason": "x"},
            "Membership": {"message": ""}, "Notify": {"notify": "all"}, "OneSpace": {"version": 1, "name": "x"},
            "Members": {"person": "dominique"}, "OneMember": {"role": "member"}, "Invitations": {"person": "dominique"},
            "OneRequest": {"accept": True}, "MyInvitation": {"accept": True}, "Sheet": {"purpose": "x", "version": 1},
            "Rights": {"rights": {"feed.post": "all"}}, "Visibility": {"visibility": "public"},
            "Feeders": {"kind": "entity", "key": "north"}, "Lists": {"act": "add", "people": [{"person": "dominique"}]},
            "Merge": {"into": "autre"}, "Plugins": {"on": ["feed"]}, "FeedTopic": {"name": "x"},
            "OneHeld": {"text": "x"}, "OneCase": {"hide": True, "reason": "x"}, "Appeal": {"text": "x"}, "OneBinned": {},
            "OneWordRule": {"act": "hold", "words": "x", "version": 1}, "Queue": {"ids": [1], "approve": True},
            "FeedTopicMerge": {"into": 1}, "Split": {"name": "x", "people": ["camille"]},
        }  # fmt: skip
        if endpoint.startswith("rse_kanban"):
            yield from self.of_boards(name)
        elif name in fixed and not (name == "Plugins" and "communities" not in endpoint):
            yield fixed[name], fixed[name]
        elif name in ("Reactions", "Mutes", "Comments", "ThreadState"):
            for ref, other in (
                (post, nothing),
                (f"communities.space:{self.secret.space}", f"communities.space:{NOBODYS}"),
                (f"comments.comment:{self.secret.ids['comment_id']}", f"comments.comment:{NOBODYS}"),
            ):
                rest = {"Reactions": {"reaction": "like"}, "Comments": {"body": "x"}, "ThreadState": {"locked": True}}.get(
                    name, {}
                )
                yield {"ref": ref, **rest}, {"ref": other, **rest}
        elif name == "Reports" and "governance" in endpoint:
            case = f"governance.case:{self.secret.ids['case_id']}"
            for ref, other in ((post, nothing), (case, f"governance.case:{NOBODYS}")):
                yield {"ref": ref, "kind": "false"}, {"ref": other, "kind": "false"}
        elif name in ("Words", "Charters"):
            rest = {"act": "hold", "words": "x"} if name == "Words" else {"title": "x", "body": "x"}
            place, start = ("where", "space:") if name == "Words" else ("space", "")
            secret, none = f"{start}{self.secret.key}", f"{start}kwznothing"
            yield {place: secret, **rest}, {place: none, **rest}
        elif name == "Posts":
            for kind in ("space", "members"):
                yield (
                    {"body": "x", "audience": f"{kind}:{self.secret.key}"},
                    {"body": "x", "audience": f"{kind}:kwznothing"},
                )
        elif name == "FeedSubscriptions":
            yield {"name": "x", "space": self.secret.key}, {"name": "x", "space": "kwznothing"}
        elif name == "Orphans":
            yield {"space": self.secret.key, "person": "robin"}, {"space": "kwznothing", "person": "robin"}
        elif name == "Entries":
            yield {"space": self.secret.key, "reason": "x"}, {"space": "kwznothing", "reason": "x"}
        elif name == "FeedLink":
            yield {"url": f"/cercle/{self.pairs('page')[0]}"}, {"url": f"/cercle/{self.pairs('page')[1]}"}
        else:
            yield {}, {}
