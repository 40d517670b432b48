"""Texts as data: where they are found, how they are cut, and what a network makes of padding."""

from __future__ import annotations

import codecs
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import edits
from models.shapes import infer
from playground import cli
from playground.data import DataError, DataSettings, SplitSettings, open_data
from playground.data.dataset import Column, Dataset
from playground.data.text_encoder import TextEncoder
from playground.data.text_reading import TextReading, joined
from playground.evaluation import evaluate
from playground.export import export
from playground.model import Model, ModelError, untrained
from playground.probes.look import Looker, Request
from playground.project import Project, TaskSettings, save
from playground.runs import RunFolder, load_model
from playground.starter import adopt, propose, starter_graph
from playground.training.errors import TrainingError
from playground.training.learner import Learner
from playground.training.trainer import Trainer

FILMS = ["a very good film", "bad", "good, good fun!", "a bad, sad and far too long film"]
ROWS = "".join(f'"{text}",{label}\n' for text, label in zip(6 * FILMS, 12 * "yn", strict=True))
SENTENCES = DataSettings("text", {"path": "sample:sentences"}, SplitSettings(300, 300))


def opened(folder: Path, content: str | bytes = "", name: str = "films.csv", **options: object):
    if content:
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    return open_data(DataSettings("text", {"path": name, **options}), folder)


def films(folder: Path, **options: object) -> Dataset:
    return opened(folder, "text,label\n" + ROWS, **options)


def column(data: Dataset) -> Column:
    return data.inputs["text"]


def reading(data: Dataset) -> TextReading:
    found = column(data).reading
    assert isinstance(found, TextReading)
    return found


# --- where texts are found ------------------------------------------------------------------------


def test_a_table(tmp_path):
    data = films(tmp_path)
    assert data.task == "classification"
    assert data.classes == ("n", "y")
    assert len(data) == 24
    assert str(column(data).shape) == "T"
    assert column(data).texts[0] == "a very good film"
    assert column(data).lengths[:4].tolist() == [4, 1, 5, 9]
    assert data.describe(0) == "“y” · a very good film"
    assert data.files[0] == str(tmp_path / "films.csv")
    batch = data.batch([1, 0])
    assert batch["text"].dtype == np.int64
    assert batch["text"].shape == (2, 4)
    assert batch["text"][0, 1:].tolist() == [0, 0, 0]
    assert batch["text_lengths"].tolist() == [1, 4]


def test_several_tables_in_a_folder(tmp_path):
    data = open_data(SENTENCES, tmp_path)
    assert len(data) == 2000
    assert len(set(data.files)) == 2
    assert [len(part) for part in data.splits.values()] == [1400, 300, 300]


def test_columns_are_guessed_or_chosen(tmp_path):
    content = "id,review,sentiment,who\n" + "".join(
        f"{i},{'good' if i % 2 else 'bad'} thing {i % 5},{i % 2},{'ab'[i % 3 == 0]}\n"
        for i in range(30)
    )
    data = opened(tmp_path, content)
    assert reading(data).column == "review"
    assert data.classes == ("0", "1")
    data = opened(tmp_path, text="review", label="who", group="id")
    assert data.classes == ("a", "b")
    assert data.groups.what == "id"
    assert len(data.groups.names) == 30
    unnamed = opened(tmp_path, "this is long,x\nand this too,y\n" * 9, "b.csv", header="no")
    assert column(unnamed).texts[0] == "this is long"
    assert unnamed.classes == ("x", "y")


def test_a_split_by_group_keeps_groups_together(tmp_path):
    content = "text,label,who\n" + "".join(
        f"word{i % 7} good,{'yn'[i % 2]},w{i % 10}\n" for i in range(100)
    )
    (tmp_path / "films.csv").write_text(content)
    settings = DataSettings(
        "text", {"path": "films.csv", "group": "who"}, SplitSettings(0.2, 0.2, "group")
    )
    data = open_data(settings, tmp_path)
    parts = [set(data.groups.codes[part].tolist()) for part in data.splits.values()]
    assert all(parts)
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_a_number_is_predicted(tmp_path):
    content = "text,rating\n" + "".join(f"film number {i % 9},{i * 0.37:.2f}\n" for i in range(60))
    data = opened(tmp_path, content)
    assert data.task == "regression"
    assert data.target.values[1, 0] == pytest.approx(0.37)
    train = data.target.prepared(data.target.take(data.splits["train"]))
    assert abs(train.mean()) < 1e-5
    assert opened(tmp_path, content, task="classification").task == "classification"


def test_folders_of_classes(tmp_path):
    for label in ("good", "bad"):
        (tmp_path / "films" / label / "deep").mkdir(parents=True)
        for number in range(8):
            file = tmp_path / "films" / label / "deep" / f"{number}.txt"
            file.write_text(f"a {label} film\n\nreally {label}\n")
    (tmp_path / "films" / "bad" / "empty.txt").write_text(" \n")
    (tmp_path / "films" / "bad" / "nul.txt").write_bytes(b"a\0b")
    data = opened(tmp_path, name="films")
    assert data.classes == ("bad", "good")
    assert len(data) == 16
    assert [item.reason for item in data.skipped] == [
        "empty.txt is empty",
        "nul.txt has a NUL character in line 1: it is no text file",
    ]
    name, values = reading(data).read(str(tmp_path / "films/good/deep/1.txt"))[0]
    assert name.endswith("1.txt")
    assert len(values) == 5


def test_a_split_of_the_folders_own(tmp_path):
    for split in ("train", "test"):
        for label in ("pos", "neg"):
            folder = tmp_path / "films" / split / label
            folder.mkdir(parents=True)
            for number in range(6):
                (folder / f"{number}.txt").write_text(f"{label} {split} {number}")
    data = opened(tmp_path, name="films")
    texts = column(data).texts
    assert len(data.splits["test"]) == 12
    assert all("test" in texts[index] for index in data.splits["test"])
    assert "test" not in reading(data).vocabulary


def test_a_file_of_lines_for_each_class(tmp_path):
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "de.txt").write_text("Müller\nSchmidt\n\nFischer\n" * 4)
    (tmp_path / "names" / "it.txt").write_bytes("Rossi\r\nFerrè\r\n".encode("cp1252") * 6)
    data = opened(tmp_path, name="names")
    assert data.classes == ("de", "it")
    assert len(data) == 24
    assert reading(data).tokens == "characters"
    assert "Ferrè" in column(data).texts


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    content = "text,label\n" + "".join(f"schöne Grüße {i},{'ab'[i % 2]}\n" for i in range(20))
    data = opened(tmp_path, content.encode(encoding))
    assert column(data).texts[0] == "schöne Grüße 0"
    assert "grüße" in reading(data).vocabulary


def test_tabs_in_a_txt_file(tmp_path):
    data = opened(tmp_path, "It's fine, really\t1\nNot so\t0\n" * 9, "a.txt", header="no")
    assert column(data).texts[0] == "It's fine, really"
    assert data.classes == ("0", "1")


def test_quotation_marks_between_tabs_are_text(tmp_path):
    content = 'He said "hi there\t1\n"Wholly ""quoted"""\t0\n\nA 5" pipe\t1\n"no end\t0\n'
    for name in ("a.tsv", "a.txt"):
        data = opened(tmp_path, content, name, minimum=1)
        texts = ('He said "hi there', 'Wholly "quoted"', 'A 5" pipe', '"no end')
        assert column(data).texts == texts
    named = opened(tmp_path, "label\tmessage\n" + "ham\tIt's \"ok\nspam\tNo\n" * 4, "b.tsv")
    assert reading(named).column == "message"
    assert named.classes == ("ham", "spam")


def test_rows_without_text_or_label_are_skipped(tmp_path):
    data = opened(tmp_path, "text,label\n" + ROWS + ",y\nsome,\n  ,n\n")
    assert len(data) == 24
    assert [item.reason.partition(", ")[2] for item in data.skipped] == [
        "row 26 has no text",
        "row 27 has no label",
        "row 28 has no text",
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "does not exist"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text\nx\ny\n", "one column"),
        ("a.csv", b"text,label\nx,y\nz,y\n", "at least two classes"),
        ("a.csv", b"text,label\n,\n,y\n", "has no text with a label"),
        ("a.csv", b"text,label\na\0b,y\nc,n\n", "NUL"),
        ("a.txt", b"one\ntwo\nthree\n", "no labels"),
        ("a.parquet", b"PAR1 no", "a.parquet"),
    ],
)
def test_bad_files_are_explained(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        opened(tmp_path, name=name)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text": "txet"}, "did you mean text"),
        ({"text": "label", "label": "label"}, "cannot be both"),
        ({"group": "who"}, "no column 'who'"),
        ({"task": "regression"}, "is no number"),
        ({"minimum": 900}, "lower the least count"),
    ],
)
def test_bad_options_are_explained(tmp_path, options, words):
    with pytest.raises(DataError, match=words):
        films(tmp_path, **options)


def test_an_empty_folder_is_explained(tmp_path):
    (tmp_path / "films").mkdir()
    with pytest.raises(DataError, match="has no texts"):
        opened(tmp_path, name="films")


# --- tokens ---------------------------------------------------------------------------------------


def test_the_vocabulary_is_of_the_training_texts_alone(tmp_path):
    content = "text,label\n" + "".join(f"all own{i} own{i},{'ab'[i % 2]}\n" for i in range(40))
    data = opened(tmp_path, content)
    train = {f"own{index}" for index in data.splits["train"]}
    assert set(reading(data).vocabulary) == {"all"} | train
    test = data.raw(data.splits["test"])["text"]
    assert (test[:, 1:] == 1).all()
    assert any("not in the vocabulary" in note for note in data.notes)


def test_size_and_least_count(tmp_path):
    data = films(tmp_path, size=3)
    assert reading(data).size == 5
    assert column(data).vocabulary == 5
    assert reading(data).vocabulary[0] == "good"
    rare = opened(tmp_path, "text,label\n" + ROWS + "once only,y\n", minimum=3)
    assert "once" not in reading(rare).vocabulary


def test_long_texts_are_cut_and_told(tmp_path):
    data = films(tmp_path, longest=3)
    assert column(data).values.shape == (24, 3)
    assert "18 of 24 texts are longer than 3 words and were cut." in data.notes


@pytest.mark.parametrize(
    ("unit", "text", "tokens"),
    [
        ("words", "It's  Don’t\n GOOD-ish!", ["it's", "don’t", "good", "-", "ish", "!"]),
        ("characters", " A\tb ", ["a", " ", "b"]),
        ("words", "😀👍 ok", ["😀", "👍", "ok"]),
        ("words", "שלום עולם!", ["שלום", "עולם", "!"]),
        ("words", "cafe\u0301", ["café"]),
        ("characters", "", []),
        ("characters", " \n\u2003", []),
        ("words", "\ud800", ["?"]),
        ("pieces", "ab ab", ["▁ab", "▁ab"]),
        ("pieces", "xab", ["▁", "x", "ab"]),
        ("pieces", "▁ab", ["▁", "_", "ab"]),
    ],
)
def test_how_texts_are_cut(unit, text, tokens):
    encoder = TextEncoder(unit, merges=[("a", "b"), ("▁", "ab")])
    assert list(encoder.split(text)) == tokens


def test_normalisation():
    assert TextEncoder("words", lower=False).clean("Éa") == "Éa"
    assert TextEncoder("words", strip_accents=True).clean("Éàß") == "eaß"
    assert TextEncoder("words").clean("İ") == TextEncoder("words").clean("i̇")


@pytest.mark.parametrize("unit", ["characters", "words", "pieces"])
def test_what_was_cut_can_be_read_again(tmp_path, unit):
    data = films(tmp_path, tokens=unit, minimum=1)
    for index in data.splits["train"]:
        text = reading(data).decode(column(data).values[index])
        spaced = joined(reading(data).encoder.split(column(data).texts[index]), unit)
        assert text == spaced
        again = reading(data).encode(text)
        np.testing.assert_array_equal(again, data.raw([index])["text"][0])


def test_pieces_are_those_of_the_library(tmp_path):
    """Our plain encoder, which exports carry, cuts as the library that learnt the merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    data = open_data(
        replace(SENTENCES, options={**SENTENCES.options, "tokens": "pieces"}), tmp_path
    )
    own = reading(data)
    numbers = {token: place for place, token in enumerate(own.vocabulary)}
    library = Tokenizer(models.BPE(vocab=numbers, merges=list(own.merges)))
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    for text in column(data).texts[::7]:
        words = list(own.encoder.words(own.encoder.clean(text)))
        theirs = [token for word in words for token in library.encode(word).tokens]
        known = [token for token in own.encoder.split(text) if token in numbers]
        assert known == theirs


@pytest.mark.parametrize("unit", ["characters", "words", "pieces"])
def test_ten_megabytes_in_one_line(unit):
    encoder = TextEncoder(unit, ["x"], [("x", "x")], longest=500)
    assert len(encoder.encode("x" * 10_000_000)) in (1, 500)
    assert len(encoder.encode("xy " * 3_000_000)) == 500


def test_a_column_in_small_numbers(tmp_path):
    data = films(tmp_path)
    assert column(data).values.dtype == np.uint8
    assert data.resident_bytes < 24 * (9 + 8) * 8


# --- a reading as JSON ----------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["characters", "words", "pieces"])
def test_a_reading_survives_json(tmp_path, unit):
    data = films(tmp_path, tokens=unit)
    again = Dataset.from_json(json.loads(json.dumps(data.to_json())))
    assert column(again).reading == reading(data)
    assert column(again).vocabulary == column(data).vocabulary


GOOD = {"kind": "text", "tokens": "words", "vocabulary": ["a"], "longest": 9}


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": "bytes"},
        {"tokens": ["words"]},
        {"vocabulary": None},
        {"vocabulary": "abc"},
        {"vocabulary": ["a", "a"]},
        {"vocabulary": [""]},
        {"vocabulary": [3]},
        {"vocabulary": ["\ud800"]},
        {"vocabulary": ["x" * 5000]},
        {"vocabulary": ["a"] * 1_000_001},
        {"merges": [["a"]]},
        {"merges": [["a", "b", "c"]]},
        {"merges": ["abc"]},
        {"merges": [["a", 3]]},
        {"merges": {"a": "b"}},
        {"longest": 0},
        {"longest": True},
        {"longest": 10**9},
        {"longest": "9"},
        {"longest": None},
    ],
)
def test_hostile_readings_are_refused(change):
    from playground.data.reading import reading_from_json

    assert reading_from_json(GOOD).size == 3
    with pytest.raises(ValueError, match=r".+"):
        reading_from_json({**GOOD, **change})
    for key in ("tokens", "vocabulary", "longest"):
        with pytest.raises(ValueError, match=r".+"):
            reading_from_json({k: v for k, v in GOOD.items() if k != key})


# --- networks on tokens ---------------------------------------------------------------------------


def project(data: Dataset, kind: str, settings: DataSettings, **training: object) -> Project:
    made = Project(
        name="Films",
        graph=starter_graph(data, kind),
        data=settings,
        task=TaskSettings(data.task, {}),
    )
    return replace(made, training=made.training.replace(epochs=2, batch_size=8, **training))


def settings(folder: Path, **options: object) -> DataSettings:
    films(folder)
    return DataSettings("text", {"path": "films.csv", **options})


@pytest.mark.parametrize("kind", ["mlp", "cnn", "rnn", "hybrid", "auto"])
def test_starter_networks_learn_and_padding_changes_nothing(tmp_path, kind):
    data = films(tmp_path)
    made = project(data, kind, settings(tmp_path))
    assert infer(made.graph).ok
    assert not propose(made.graph, data)
    trainer = Trainer(made, data, RunFolder.create(tmp_path / "run"))
    for _ in trainer.steps():
        pass
    model = load_model(RunFolder(tmp_path / "run"))
    alone, lengths = data.raw([0])["text"], np.asarray([4])
    answers = []
    for steps in (4, 5, 40):
        padded = np.zeros((1, steps), np.int64)
        padded[:, :4] = alone
        given = {"text": padded, "text_lengths": lengths}
        answers.append(model.outputs(model.prepared(given))["label"])
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], atol=1e-6)
    together = model.outputs(model.prepared(data.raw(range(len(data)))))["label"]
    np.testing.assert_allclose(together[0], answers[0][0], atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "cnn", "rnn", "hybrid"])
def test_batches_cut_to_their_longest_give_the_same_loss(tmp_path, kind):
    data = films(tmp_path)
    made = project(data, kind, settings(tmp_path))
    learner = Learner(made, data, Trainer(made, data, RunFolder.create(tmp_path / "run")).device)
    learner.module.eval()
    short = {key: torch.from_numpy(value) for key, value in data.batch([0, 1]).items()}
    wide = dict(short)
    wide["text"] = torch.nn.functional.pad(short["text"], (0, 30))
    losses = [float(learner.loss(learner.forward(batch)).detach()) for batch in (short, wide)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_the_embedding_follows_the_vocabulary(tmp_path):
    data = films(tmp_path)
    graph = starter_graph(data, "rnn")
    embedding = graph.named("embedding")
    graph = edits.set_params(graph, embedding.id, {"num_embeddings": 5})
    (found,) = propose(graph, data)
    assert found.what == "vocabulary"
    assert found.message == "The Embedding embedding knows 5 tokens; the data have 15."
    made = replace(project(data, "rnn", settings(tmp_path)), graph=graph)
    with pytest.raises(TrainingError, match="set its Vocabulary to 15"):
        Trainer(made, data, RunFolder.create(tmp_path / "run"))
    assert "knows 5 tokens" in Looker().snapshot(Request(made, data, 0), None).problem
    assert not propose(adopt(graph, data), data)


def test_probes_take_a_sample_of_its_own_length(tmp_path):
    data = films(tmp_path)
    made = project(data, "rnn", settings(tmp_path))
    for sample, steps in ((1, 1), (0, 4), ({"text": reading(data).encode("good fun film")}, 3)):
        shown = Looker().snapshot(Request(made, data, sample), None)
        assert not shown.problem
        embedding = made.graph.named("embedding")
        assert shown.values[embedding.id, "output"].shape == (steps, 32)


def test_a_model_reads_texts_with_its_own_vocabulary(tmp_path):
    data = films(tmp_path)
    model = model_of(data, tmp_path)
    texts = ["a good film", "bad", ""]
    batch = model.prepared({"text": np.asarray(texts)})
    assert batch["text_lengths"].tolist() == [3, 1, 1]
    assert batch["text"][0].tolist() == reading(data).encode(texts[0]).tolist()
    assert len(model.predict({"text": np.asarray(texts)})) == 3


def model_of(data: Dataset, folder: Path) -> Model:
    return untrained(project(data, "rnn", settings(folder)), data)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"text": [[2, 99]]}, "does not know"),
        ({"text": [[2, 3]], "text_lengths": [3]}, "valid steps"),
        ({"text": [[2, 3]], "text_lengths": [0]}, "valid steps"),
        ({"text": [[2, 3]], "text_lengths": [1, 1]}, "valid steps"),
        ({"text": [2, 3]}, "is tokens T"),
        ({}, "needs a value"),
    ],
)
def test_wrong_tokens_are_refused(tmp_path, raw, words):
    model = model_of(films(tmp_path), tmp_path)
    with pytest.raises(ModelError, match=words):
        model.predict({name: np.asarray(value) for name, value in raw.items()})


def test_other_texts_are_read_with_the_models_vocabulary(tmp_path):
    data = films(tmp_path)
    model = model_of(data, tmp_path)
    rows = "good strange film,y\nbad,n\n" * 10
    other = opened(tmp_path, "text,label\n" + rows, "other.csv")
    assert reading(other).vocabulary != reading(data).vocabulary
    found = evaluate(model, other, "train")
    values, lengths, _ = reading(data).encode_all(column(other).texts)
    chosen = other.splits["train"]
    given = {"text": values[chosen], "text_lengths": lengths[chosen]}
    probabilities = torch.from_numpy(model.outputs(model.prepared(given))["label"]).softmax(-1)
    np.testing.assert_allclose(found.confidence, probabilities.max(-1).values, atol=1e-5)


def test_rows_of_other_words_are_not_carried_over(tmp_path):
    data = films(tmp_path)
    document = project(data, "mlp", settings(tmp_path))
    run = RunFolder.create(tmp_path / "run")
    list(Trainer(document, data, run).steps())
    other = opened(tmp_path, ("text,label\n" + ROWS).replace("good", "fine"), "other.csv")
    assert reading(other).size == reading(data).size
    for dataset, words in ((data, "weights of run run"), (other, "another vocabulary")):
        new = RunFolder.create(tmp_path / words)
        made = Trainer(document, dataset, new, weights_from=run)
        (note,) = made.notes
        assert note.endswith(words)
        same = torch.equal(
            made.learner.module.state_dict()["embedding.weight"],
            run.checkpoint("last").weights["embedding.weight"],
        )
        assert same is (dataset is data)
    assert "new: embedding;" in note


def test_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = films(tmp_path)
    save(project(data, "cnn", settings(tmp_path)), tmp_path / "a.playground")
    assert cli.main(["train", "a.playground", "--out", "run", "--json"]) == 0
    Path("more.txt").write_text("good\n\nbad film\n")
    Path("more.csv").write_text("text,other\nfine film,1\n")
    capsys.readouterr()
    assert cli.main(["predict", "run", "a good film", "more.txt", "more.csv", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [line["input"] for line in lines]
    assert names == ["a good film", "more.txt:1", "more.txt:3", "more.csv:2"]
    assert {answer["label"] for answer in lines[0]["answers"]} == {"n", "y"}
    assert cli.main(["predict", "run", "   "]) == 1
    assert "there is no text" in capsys.readouterr().err
    assert cli.main(["predict", "run", "gone.txt"]) == 1
    assert "gone.txt" in capsys.readouterr().err
    assert cli.main(["evaluate", "run"]) == 0


@pytest.mark.parametrize("unit", ["words", "pieces"])
def test_an_exported_model_reads_text(tmp_path, unit, monkeypatch):
    made = settings(tmp_path, tokens=unit)
    data = open_data(made, tmp_path)
    trainer = Trainer(project(data, "rnn", made), data, RunFolder.create(tmp_path / "run"))
    for _ in trainer.steps():
        pass
    done = export(tmp_path / "run", "python", tmp_path / "films.py")
    assert [path.name for path in done.files] == [
        "films.py",
        "films.safetensors",
        "films.vocabulary.json",
    ]
    monkeypatch.syspath_prepend(tmp_path)
    films_module = __import__("films")
    encoder = films_module.load_encoder(str(tmp_path / "films.vocabulary.json"))
    network = films_module.load(str(tmp_path / "films.safetensors"))
    model = load_model(RunFolder(tmp_path / "run"))
    for text in ("A GOOD film", "something ünknown 😀", "bad, bad"):
        numbers = encoder.encode(text)
        assert numbers == reading(data).encode(text).tolist()
        given = np.asarray([numbers])
        with torch.no_grad():
            answer = network(torch.tensor([numbers]), torch.tensor([len(numbers)]))
        expected = model.outputs(model.prepared({"text": given}))["label"]
        np.testing.assert_array_equal(answer.numpy(), expected)
    del sys.modules["films"]


def test_onnx_carries_the_vocabulary(tmp_path):
    import onnx

    made = settings(tmp_path)
    data = open_data(made, tmp_path)
    trainer = Trainer(project(data, "cnn", made), data, RunFolder.create(tmp_path / "run"))
    for _ in trainer.steps():
        pass
    done = export(tmp_path / "run", "onnx", tmp_path / "films.onnx")
    document = onnx.load(str(done.path))
    assert [item.name for item in document.graph.input] == ["text", "text_lengths"]
    about = {item.key: item.value for item in document.metadata_props}
    read = json.loads(about["inputs"])["text"]["reading"]
    assert read["vocabulary"] == list(reading(data).vocabulary)


def test_texts_of_a_marked_file_are_not_marked(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"good film")
    ((name, values),) = reading(films(tmp_path)).read(str(path))
    assert name == str(path)
    np.testing.assert_array_equal(values, reading(films(tmp_path)).encode("good film"))
