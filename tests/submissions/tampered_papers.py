"""Ways to tamper with the header, the manifest and the files of a submission."""

from __future__ import annotations

from random import Random

from tampering import Parts, tampering

from mirror_bench.schema import digest


@tampering("protocol")
def the_turn_limit(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["max_client_turns"] = rng.randrange(13, 20)


@tampering("protocol")
def the_protocols_seeds(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["seeds"] = [0, rng.randrange(2, 99)]


@tampering("protocol")
def the_temperature(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["therapist"]["sampling"]["temperature"] = 0.7


@tampering("protocol")
def the_split(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["split"] = rng.choice(["train", "dev", ""])


@tampering("protocol")
def the_raters(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["raters"][0]["sees"] = "words_and_directions"


@tampering("protocol")
def the_name_of_the_protocol(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["name"] = parts.manifest["protocol"] = "../offline"


@tampering("fingerprint")
def the_fingerprint(parts: Parts, rng: Random) -> None:
    other = f"{rng.getrandbits(256):064x}"
    parts.header["fingerprint"] = parts.manifest["fingerprint"] = parts.summary["fingerprint"] = other


def refit(parts: Parts) -> None:
    """The fingerprint fits its parts again."""
    other = digest(parts.header["parts"])
    parts.header["fingerprint"] = parts.manifest["fingerprint"] = parts.summary["fingerprint"] = other


@tampering("content")
def the_digest_of_a_prompt(parts: Parts, rng: Random) -> None:
    names = sorted(key for key in parts.header["parts"] if key.endswith((".jinja", ".yaml")))
    parts.header["parts"][rng.choice(names)] = f"{rng.getrandbits(256):064x}"
    refit(parts)


@tampering("data")
def the_digest_of_the_data(parts: Parts, rng: Random) -> None:
    parts.header["parts"]["data"] = f"{rng.getrandbits(256):064x}"
    refit(parts)


@tampering("code")
def the_version_of_the_client(parts: Parts, rng: Random) -> None:
    parts.header["parts"]["code.client"] = "99"
    refit(parts)


@tampering("identity")
def the_candidate(parts: Parts, rng: Random) -> None:
    parts.header["candidate"]["therapist"] = "openai/gpt-4o"


@tampering("scenarios")
def the_selection(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["limit"] = rng.choice([None, 1, 9])


@tampering("scenarios")
def the_conditions(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["conditions"] = ["matched"]


@tampering("scenarios")
def the_number_of_sessions(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["sessions"] += 1


@tampering("seeds")
def how_seeds_are_derived(parts: Parts, rng: Random) -> None:
    parts.header["seeds"] = "drawn at random"


@tampering("records")
def a_field_that_no_record_has(parts: Parts, rng: Random) -> None:
    rng.choice([parts.sessions, parts.ratings])[0]["note"] = "trust me"


@tampering("identity")
def the_therapist_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["therapist"] = "somebody/else"


@tampering("identity", kind="scripted")
def the_turns_that_a_script_reads(parts: Parts, rng: Random) -> None:
    parts.header["candidate"]["context_messages"] = rng.randrange(1, 9)


@tampering("identity", kind="scripted")
def the_code_of_a_script(parts: Parts, rng: Random) -> None:
    parts.header["candidate"]["code"] = f"{rng.getrandbits(256):064x}"


@tampering("identity", kind="model")
def the_sight_of_a_model(parts: Parts, rng: Random) -> None:
    parts.header["candidate"]["sees"] = True


@tampering("identity")
def the_method_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["method"] = "p+ec"


@tampering("identity")
def the_fingerprint_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["fingerprint"] = f"{rng.getrandbits(256):064x}"


@tampering("identity")
def the_protocol_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["protocol"] = "paper"


@tampering("identity")
def the_modality(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["modality"] = "text"


@tampering("coverage")
def the_coverage(parts: Parts, rng: Random) -> None:
    key = rng.choice(sorted(parts.manifest["coverage"]))
    parts.manifest["coverage"][key] += 1


@tampering("templates", "", "model")
def a_template_that_is_not_declared(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["templated"] = False


@tampering("files")
def a_digest_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.members()
    parts.fits = False
    one = rng.choice(sorted(parts.manifest["files"]))
    parts.manifest["files"][one]["sha256"] = f"{rng.getrandbits(256):064x}"


@tampering("files")
def a_file_that_is_not_listed(parts: Parts, rng: Random) -> None:
    parts.members()
    parts.fits = False
    del parts.manifest["files"][rng.choice(sorted(parts.manifest["files"]))]


@tampering("manifest")
def a_key_that_no_manifest_has(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["award"] = "best"


@tampering("manifest")
def a_missing_licence(parts: Parts, rng: Random) -> None:
    del parts.manifest["card"]["licence"]


@tampering("manifest")
def a_link_that_is_a_script(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["links"] = ["javascript:alert(1)"]


def faces(parts: Parts) -> list[str]:
    return sorted(name for name in parts.others if name.startswith("faces/"))


@tampering("files")
def another_image_under_a_faces_name(parts: Parts, rng: Random) -> None:
    one, other = rng.sample(faces(parts), 2)
    parts.others[one] = parts.others[other]


@tampering("files")
def an_image_that_nobody_saw(parts: Parts, rng: Random) -> None:
    parts.others[f"faces/{rng.getrandbits(256):064x}.png"] = parts.others[faces(parts)[0]]


@tampering("archive")
def a_file_name_that_leads_out(parts: Parts, rng: Random) -> None:
    one = faces(parts)[0]
    parts.others[rng.choice(["../run.json", "/etc/cron.d/x", "faces/../../x.png", "C:\\x"])] = (
        parts.others.pop(one)
    )


@tampering("archive")
def a_file_that_belongs_to_no_submission(parts: Parts, rng: Random) -> None:
    parts.others[rng.choice(["setup.py", "index.html", "faces/x.png", "RUN.json"])] = b"hello"
