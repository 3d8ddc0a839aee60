#!/usr/bin/env python3
"""Checks the house: what swift-format cannot see. One line a breach, exit 1 when there is one.

    scripts/lint-house.py            checks this checkout
    scripts/lint-house.py --prove    puts a breach of each rule into a copy and sees it found

Rules:
  imports      a file imports only what Package.swift gives its target, and Package.swift gives what docs/architecture.md draws:
               nothing else, and nothing that no file imports; tests alike, which no page draws
  foundation   no Foundation below the command
  traps        no try!, as!, fatalError, preconditionFailure or force unwrap of what may come from an image
  drivers      a driver's name stands in its own folder and in registries alone
  flags        no sentence below the command names its flags or its commands; those of other programs may be
  handlers     no handler of a signal is Swift: it may allocate where malloc was interrupted
  words        nothing branches on a message, a reason, or a literal layer or code
  codes        an error's code is a case of an enumeration
  tests        a test that a document names is there
"""
import json, os, re, shutil, subprocess, sys, tempfile

# Where drivers are listed.
REGISTRIES = {"Sources/ImageFormats/Probe/ImageProbe.swift"}
SYSTEM = {"Glibc", "Synchronization", "Dispatch", "Swift", "_Concurrency"}
COMMAND = "diskgraft"
# What writes commands of other programs.
SCRIPTS = os.path.join("Sources", "Machines", "Printing") + os.sep
# Whose short options sentences may name; all others are ours.
PROGRAMS = "chattr|e2fsck|losetup|lzip|lzop|modprobe|qemu-img|tar|tune2fs"


def pieces(source):
    """Swift source as (kind, text, line): code, string (the literal parts alone) and comment."""
    out, i, line, start, n = [], 0, 1, 0, len(source)

    stack = []  # of (delimiter, depth of parentheses): the strings that an interpolation lies in
    depth = 0
    while i < n:
        two = source[i:i + 2]
        if two == "//":
            end = source.find("\n", i)
            end = n if end < 0 else end
            out.append(("comment", source[i:end], line))
            i = end
        elif two == "/*":
            end = source.find("*/", i + 2)
            end = n if end < 0 else end + 2
            out.append(("comment", source[i:end], line))
            line += source.count("\n", i, end)
            i = end
        elif source[i] == '"' or (stack and source[i] == ")" and depth == 0):
            if source[i] == '"':
                delimiter = '"""' if source.startswith('"""', i) else '"'
                i += len(delimiter)
            else:
                delimiter, depth = stack.pop()
                i += 1
            start, at = i, line
            while i < n:
                if source.startswith("\\(", i):
                    out.append(("string", source[start:i], at))
                    stack.append((delimiter, depth))
                    depth = 0
                    i += 2
                    break
                if source[i] == "\\":
                    i += 2
                elif source.startswith(delimiter, i):
                    out.append(("string", source[start:i], at))
                    i += len(delimiter)
                    break
                else:
                    line += source[i] == "\n"
                    i += 1
        else:
            start = i
            while i < n and source[i] != '"' and source[i:i + 2] not in ("//", "/*"):
                if stack and source[i] == "(":
                    depth += 1
                elif stack and source[i] == ")":
                    if depth == 0:
                        break
                    depth -= 1
                i += 1
            out.append(("code", source[start:i], line))
            line += source.count("\n", start, i)
    return out


def sources(root, below="Sources"):
    for folder, _, names in sorted(os.walk(os.path.join(root, below))):
        for name in sorted(names):
            if name.endswith(".swift"):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, root), open(path, encoding="utf-8").read()


def drawn(root):
    """What docs/architecture.md says that each target imports."""
    table = {}
    for row in open(os.path.join(root, "docs/architecture.md"), encoding="utf-8"):
        cells = [c.strip() for c in row.strip().strip("|").split("|")]
        if not row.startswith("| `Sources/") or len(cells) != 3:
            continue
        imports = {w for w in re.split(r"[,\s]+", re.sub(r"\(.*?\)", "", cells[2])) if w and w != "–"}
        for target in re.findall(r"`(?:Sources/)?(\w+)`", cells[0]):
            table[target] = imports
    return table


def tests_named(root):
    """(document, line, name) of each test that a document names; in SECURITY.md the last column has nothing else."""
    folder = os.path.join(root, "docs")
    for path in ["SECURITY.md"] + [os.path.join("docs", name) for name in sorted(os.listdir(folder))]:
        place = os.path.join(root, path)
        if not path.endswith(".md") or not os.path.exists(place):
            continue
        with open(place) as file:
            for number, row in enumerate(file, 1):
                column = row.rstrip().rstrip("|").split("|")[-1] if path == "SECURITY.md" and row.startswith("|") else ""
                for name in re.findall(r"`([^`]+)`", row):
                    if re.fullmatch(r"(?:\w+\.)?[A-Z]\w*Tests(?:\.\w+)?", name) or f"`{name}`" in column and re.fullmatch(r"[\w.]+", name):
                        yield path, number, name


def tests_there(root):
    names = set()
    for folder, _, files in os.walk(os.path.join(root, "Tests")):
        names |= {os.path.basename(folder)} | {os.path.splitext(name)[0] for name in files}
        for name in files:
            if name.endswith(".swift"):
                with open(os.path.join(folder, name)) as file:
                    names |= set(re.findall(r"\b(?:func|struct|class|enum)\s+(\w+)", file.read()))
    return names


IMPORT = r"(?:@\S+\s+)*(?:public |package |internal |private |fileprivate )?import (?:struct |class |enum |func )?(\w+)"


def imported(root, below):
    """(path, line, target, module) of every import, a target being a folder."""
    for path, text in sources(root, below):
        for number, row in enumerate(text.split("\n"), 1):
            m = re.match(IMPORT, row)
            if m:
                yield path, number, path.split(os.sep)[1], m[1]


def driver_protocols(files):
    """The two protocols that drivers conform to, and every protocol that refines one of them."""
    refined = {}
    for _, text in files:
        for name, above in re.findall(r"\bprotocol\s+(\w+)\s*:([^{]*)\{", text):
            refined.setdefault(name, set()).update(re.findall(r"\w+", above))
    kinds = {"ImageDriver", "FileSystemDriver"}
    while True:
        more = {name for name, above in refined.items() if above & kinds} - kinds
        if not more:
            return kinds
        kinds |= more


def check(root, package):
    found = []

    def breach(rule, path, line, text):
        found.append((rule, f"{path}:{line}: {rule}: {text}"))

    targets = {t["name"]: {next(iter(d.values()))[0] for d in t["dependencies"]} for t in package["targets"]}
    internal = set(targets)
    table = drawn(root)
    for target in package["targets"]:
        name = target["name"]
        if target["type"] not in ("regular", "executable") or target.get("path"):
            continue
        if name not in table:
            breach("imports", "docs/architecture.md", 1, f"does not draw Sources/{name}")
            continue
        given = targets[name] & internal
        if given - table[name]:
            breach("imports", "Package.swift", 1, f"{name} depends on {', '.join(sorted(given - table[name]))}, which docs/architecture.md does not draw")
        if table[name] - given:
            breach("imports", "docs/architecture.md", 1, f"draws {', '.join(sorted(table[name] - given))} for {name}, which Package.swift does not give it")
    for name in table.keys() - internal:
        breach("imports", "docs/architecture.md", 1, f"draws Sources/{name}, which Package.swift does not have")

    used = {}
    for below in ("Sources", "Tests"):
        for path, number, target, module in imported(root, below):
            used.setdefault(target, set()).add(module)
            if below == "Tests" and module in internal and module not in targets.get(target, set()) | {target}:
                breach("imports", path, number, f"{target} imports {module}, which Package.swift does not give it")
    for target in sorted(internal & used.keys()):
        # A test of the command runs it, and cannot import it.
        idle = (targets[target] & internal) - used[target] - {COMMAND}
        if idle:
            breach("imports", "Package.swift", 1, f"no file of {target} imports {', '.join(sorted(idle))}")

    there = tests_there(root)
    for path, line, name in tests_named(root):
        for part in name.split("."):
            if part not in there:
                breach("tests", path, line, f"no test is called {name}")

    files = list(sources(root))
    kinds = driver_protocols(files)
    drivers = {}
    for path, text in files:
        for name in re.findall(rf"\b(?:struct|enum|class|actor)\s+(\w+)\s*:[^{{]*?\b(?:{'|'.join(sorted(kinds))})\b", text):
            drivers[name] = os.path.dirname(path)
    for path, text in files:
        target = path.split(os.sep)[1]
        allowed = targets.get(target, set()) | SYSTEM
        parts = pieces(text)
        code = [(t, l) for k, t, l in parts if k == "code"]
        for number, row in enumerate(text.split("\n"), 1):
            m = re.match(IMPORT, row)
            if not m:
                continue
            if m[1].startswith("Foundation"):
                if target != COMMAND:
                    breach("foundation", path, number, f"{target} imports {m[1]}")
            elif m[1] not in allowed:
                breach("imports", path, number, f"{target} imports {m[1]}, which Package.swift does not give it")
        for text_part, at in code:
            for m in re.finditer(r"\btry!|\bas!|\bfatalError\(|\bpreconditionFailure\(|[\w)\]]!(?=[\s.,;)\]]|$)", text_part):
                if text_part[m.end():m.end() + 1] == "=":
                    continue
                breach("traps", path, at + text_part.count("\n", 0, m.start()), m[0])
            for m in re.finditer(r"\bsa_sigaction\b|\bsa_handler\b|\bsignal\(SIG\w+, *(?!SIG_(?:IGN|DFL))", text_part):
                breach("handlers", path, at + text_part.count("\n", 0, m.start()), m[0])
            if path in REGISTRIES or os.path.basename(path).endswith("Registry.swift"):
                continue
            for m in re.finditer(r"\b\w+Driver\b", text_part):
                home = drivers.get(m[0])
                if home and not path.startswith(home + os.sep):
                    breach("drivers", path, at + text_part.count("\n", 0, m.start()), f"{m[0]} is named outside of {home} and the registries")
        joined, starts = "", []
        for kind, part, at in parts:
            if kind == "comment":
                continue
            starts.append((len(joined), at, kind))
            joined += part if kind == "code" else '"' + part.replace('"', "'") + '"'

        def line_of(offset):
            begin, at, kind = [s for s in starts if s[0] <= offset][-1]
            return at + (joined.count("\n", begin, offset) if kind == "code" else 0)

        words = r"\b(?:message|reason|summary|remedy|displayText|displayPath|description)\s*(?:\.(?:contains|hasPrefix|hasSuffix|starts|split)\(|[=!]= *\")"
        for m in re.finditer(words + r"|\b(?:layer|code|typeName)\s*[=!]=\s*\"", joined):
            breach("words", path, line_of(m.start()), f"branches on {m[0]}…")
        for m in re.finditer(r"\bcode:\s*\"", joined):
            breach("codes", path, line_of(m.start()), "a literal code")
        if target != COMMAND and not path.startswith(SCRIPTS):
            for kind, part, at in parts:
                if kind != "string" or " " not in part.strip():
                    continue
                short = re.search(r"(?:^|[\s(`'])-[A-Za-z](?![\w-])", re.sub(rf"\b(?:{PROGRAMS})(?: -?[\w^]+)+", "", part))
                if short and re.search("[A-Za-z]{2}", part) or re.search(r"(?:^|[\s(`'])--[a-z]", part) or re.search(r"\bdiskgraft [a-z]+\b", part):
                    breach("flags", path, at, part.strip()[:80])
    return found


SEEDS = {
    "imports": ("Sources/Storage/Seed.swift", "internal import Ext4\n"),
    "imports ": ("Tests/StorageTests/Seed.swift", "internal import Ext4\n"),
    "foundation": ("Sources/Storage/Seed.swift", "internal import Foundation\n"),
    "traps": ("Sources/Storage/Seed.swift", "func seed(_ a: [Int]) -> Int { a.first! }\n"),
    "drivers": ("Sources/Conversion/Seed.swift", "let seed = QCOW2Driver.self\n"),
    "flags": ("Sources/Ext4/Seed.swift", 'let seed = "name it with --parent FILE"\n'),
    "flags ": ("Sources/Ext4/Seed.swift", 'let seed = "read it all the same with -U"\n'),
    "words": ("Sources/Ext4/Seed.swift", 'func seed(_ e: StorageError) -> Bool { e.message.contains("gone") }\n'),
    "handlers": ("Sources/diskgraft/Seed.swift", "func seed(_ a: inout sigaction) { a.__sigaction_handler.sa_handler = { _ in } }\n"),
    "tests": ("docs/seed.md", "Held by `NoSuchTests.atAll`.\n"),
    "codes": ("Sources/Ext4/Seed.swift", 'let seed = StorageError(.refused, layer: "x", code: "y", "z")\n'),
}


def prove(root, package):
    failed = False
    with tempfile.TemporaryDirectory() as copy:
        for folder in ("Sources", "Tests", "docs"):
            shutil.copytree(os.path.join(root, folder), os.path.join(copy, folder))
        before = check(copy, package)
        for rule, (path, text) in SEEDS.items():
            seed = os.path.join(copy, path)
            with open(seed, "w") as file:
                file.write(text)
            caught = any(r == rule.strip() and f.startswith(path) for r, f in check(copy, package) if (r, f) not in before)
            os.remove(seed)
            if not caught:
                print(f"the rule {rule.strip()} does not find {text.strip()}")
                failed = True
    return failed


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    swift = os.environ.get("SWIFT", "swift")
    package = json.loads(subprocess.run([swift, "package", "dump-package"], cwd=root, check=True, stdout=subprocess.PIPE).stdout)
    if "--prove" in sys.argv[1:]:
        sys.exit(prove(root, package))
    found = check(root, package)
    for _, line in found:
        print(line)
    sys.exit(1 if found else 0)


main()
