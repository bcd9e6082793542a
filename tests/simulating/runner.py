"""A run that goes on batch by batch: whoever drives it decides when, and what happens in between."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from acumatica_b2b.actions import MoveAdmin, SetRole
from acumatica_b2b.drivers import Parties
from acumatica_b2b.effects import NewID, Perform
from acumatica_b2b.flow import Batch, Flow, SideBySide


@define(eq=False)
class _Line:
    """A flow, what it asks for, and whose part it is."""

    flow: Flow[Any]
    above: "_Line | None" = None
    asks: Batch = ()
    parts: list["_Line"] = field(factory=list["_Line"])
    ended: bool = False
    result: Any = None


@define(eq=False)
class Runner:
    """A flow driven over a host's clients one batch a turn; its workers take turns by a die.

    Errors go where a run in threads has them go: into the flow that asked.
    """

    name: str
    flow: Flow[Any]
    parties: Parties
    die: random.Random
    new_id: Callable[[], str]
    said: str = ""
    """What was asked last."""
    result: Any = None
    error: Exception | None = None
    over: bool = False
    _ready: list[_Line] = field(factory=list[_Line], init=False)

    def turn(self) -> None:
        """Answer one batch; what is no ordinary error kills the run."""
        try:
            if not self._ready and not self.said:
                self._advance(_Line(self.flow), None)
            else:
                self._answer(self._ready.pop(self.die.randrange(len(self._ready))))
        except Exception as error:
            self.over, self.error = True, error
        except BaseException:
            self.over = True
            self.flow.close()
            raise

    def finish(self) -> Any:
        """Go on to the end; return what comes of it, or raise what ended it."""
        while not self.over:
            self.turn()
        if self.error:
            raise self.error
        return self.result

    @property
    def about_to_hand_over(self) -> bool:
        """Whether one of the next batches gives or takes a role."""
        asked = [effect for line in self._ready for effect in line.asks]
        return any(isinstance(one, Perform) and isinstance(one.step, SetRole | MoveAdmin) for one in asked)

    def _answer(self, line: _Line) -> None:
        self.said = f"{type(line.asks[0]).__name__} x{len(line.asks)}"
        try:
            answers = self._answers(line.asks)
        except Exception as error:
            self._advance(line, error)
        else:
            self._advance(line, answers)

    def _answers(self, batch: Batch) -> Sequence[Any]:
        if all(isinstance(effect, NewID) for effect in batch):
            return [self.new_id() for _ in batch]
        talk = self.parties.talk(batch)
        try:
            call = next(talk)
            while True:
                call = talk.send(call())
        except StopIteration as stop:
            answers: Sequence[Any] = stop.value
            return answers

    def _advance(self, line: _Line, answers: Sequence[Any] | Exception | None) -> None:
        try:
            if isinstance(answers, Exception):
                line.asks = line.flow.throw(answers)
            else:
                line.asks = next(line.flow) if answers is None else line.flow.send(answers)
        except StopIteration as stop:
            self._ended(line, stop.value)
        except Exception as error:
            self._failed(line, error)
        else:
            self._asked(line)

    def _asked(self, line: _Line) -> None:
        match line.asks:
            case (SideBySide(flows),):
                line.parts = parts = [_Line(flow, line) for flow in flows]
                for part in parts:
                    if line.parts is parts:
                        self._advance(part, None)
            case _:
                self._ready.append(line)
                self.said = self.said or "begun"

    def _ended(self, line: _Line, result: Any) -> None:
        line.ended, line.result = True, result
        above = line.above
        if above is None:
            self.over, self.result = True, result
        elif all(part.ended for part in above.parts):
            self._advance(above, [tuple(part.result for part in above.parts)])

    def _failed(self, line: _Line, error: Exception) -> None:
        above = line.above
        if above is None:
            raise error
        self._ready = [ready for ready in self._ready if ready.above is not above]
        for part in above.parts:
            part.flow.close()
        above.parts = []
        self._advance(above, error)
