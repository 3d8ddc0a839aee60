#!/usr/bin/env python3
"""Checks the house: what swift-format cannot see. One line a breach, exit 1 when there is one.

    scripts/lint-house.py            checks this checkout
    scripts/lint-house.py --prove    puts a breach of each rule into a copy and sees it found

Rules:
  imports      a file imports only what Package.swift gives its target, and Package.swift gives what docs/architecture.md draws:
               nothing else, and nothing that no file imports; tests alike, which no page draws
  foundation   no Foundation below the command
  traps        nothing that ends the process: no try!, as!, force unwrap or implicitly unwrapped type, no fatalError and its like
  drivers      a driver's name stands in its own folder and in registries alone
  flags        no sentence below the command names its flags or its commands; those of other programs may be
  handlers     no handler of a signal is Swift: it may allocate where malloc was interrupted
  words        nothing branches on what is for people (a message, a title), or on the word of a layer or a code
  codes        an error's code is a case of an enumeration, and one layer has no word twice
  casts        the patcher asks its many syntaxes and rules by requirements, not by casts to protocols: the runtime searches all
               conformances of the program for each type and protocol
  tests        a test that a document names is there
"""
import bisect, json, os, re, shutil, subprocess, sys, tempfile

PAGE = "docs/architecture.md"
# Where drivers are listed.
REGISTRIES = {"Sources/ImageFormats/Probe/ImageProbe.swift"}
SYSTEM = {"Glibc", "Synchronization", "Dispatch", "Swift", "_Concurrency"}
COMMAND = "diskgraft"
# What checks the bounds of memory, where going on would write into another's.
CHECKED = {"Sources/Storage/Bytes/RawSpan+Endian.swift"}
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
    for row in open(os.path.join(root, PAGE), encoding="utf-8"):
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


IMPORT = re.compile(
    r"(?:^|(?<=[;\n]))[ \t]*(?:(?:@\w+(?:\([^)]*\))?|public|package|internal|private|fileprivate)\s+)*"
    r"import\s+(?:(?:struct|class|enum|actor|protocol|typealias|func|var|let|macro)\s+)?`?(\w+)")


def plain(parts):
    """The code with each string as its literal parts in double quotes (quotes in them single), comments left out, and where
    each piece begins: (offset, line, kind)."""
    joined, starts = "", []
    for kind, part, at in parts:
        if kind == "comment":
            # What stands behind one begins a line where it did.
            joined += "\n" * part.count("\n")
            continue
        starts.append((len(joined), at, kind))
        joined += part if kind == "code" else '"' + part.replace('"', "'") + '"'
    return joined, starts


def line_at(joined, starts, offset):
    begin, at, kind = starts[bisect.bisect_right(starts, offset, key=lambda s: s[0]) - 1]
    return at + (joined.count("\n", begin, offset) if kind == "code" else 0)


def imports_of(text):
    """(line, module) of every import."""
    code = "".join(
        part if kind == "code" else re.sub(r"[^\n]", " ", part) if kind == "comment" else '"' + re.sub(r"[^\n]", "", part) + '"'
        for kind, part, _ in pieces(text))
    for m in IMPORT.finditer(code):
        yield code.count("\n", 0, m.start(1)) + 1, m[1]


def imported(root, below):
    """(path, line, target, module) of every import, a target being a folder."""
    for path, text in sources(root, below):
        for number, module in imports_of(text):
            yield path, number, path.split(os.sep)[1], module


def driver_protocols(files):
    """The two protocols that drivers conform to, every protocol that refines one of them, and their other names."""
    refined = {}
    for _, text in files:
        for name, above in re.findall(r"\bprotocol\s+(\w+)\s*:([^{]*)\{", text) + re.findall(
                r"\btypealias\s+(\w+)\s*=\s*((?:any\s+)?\w+(?:\s*&\s*\w+)*)[ \t]*$", text, re.M):
            refined.setdefault(name, set()).update(re.findall(r"\w+", above))
    kinds = {"ImageDriver", "FileSystemDriver"}
    while True:
        more = {name for name, above in refined.items() if above & kinds} - kinds
        if not more:
            return kinds
        kinds |= more


def driver_names(files):
    """Every driver, and every other name of one, with the folder that it is at home in."""
    kinds = "|".join(sorted(driver_protocols(files)))
    drivers = {}
    for path, text in files:
        for name in re.findall(
                rf"\b(?:struct|enum|class|actor|extension)\s+(?:\w+\.)?(\w+)\s*:[^{{]*?\b(?:{kinds})\b", text):
            drivers[name] = os.path.dirname(path)
    aliases = [(path, *found) for path, text in files for found in re.findall(r"\btypealias\s+(\w+)\s*=\s*(?:\w+\.)*(\w+)", text)]
    while True:
        more = {name: os.path.dirname(path) for path, name, of in aliases if of in drivers and name not in drivers}
        if not more:
            return drivers
        drivers |= more


def codes_of(files):
    """(layer, word, path, line) of every case of an enumeration of codes."""
    layers, cases = {}, []
    for path, text in files:
        for m in re.finditer(r"\benum\s+(\w+)\s*:[^{]*\bLayerCode\b[^{]*\{", text):
            body = text[m.end():text.find("\n}", m.end())]
            said = re.search(r"static (?:let|var) layer\b[^\n]*?(?:\"([^\"]+)\"|(\w+)\.layer\b)", body)
            key = (path.split(os.sep)[1], m[1])
            layers[key] = (said[1], said[2]) if said else (m[1], None)
            for c in re.finditer(r"^\s*case (\w[^\n]*)", body, re.M):
                for name, word in re.findall(r"`?(\w+)`?(?:\s*=\s*\"([^\"]*)\")?(?:,|\s*(?://.*)?$)", c[1]):
                    cases.append((key, word or name, path, text.count("\n", 0, m.end() + c.start(1)) + 1))

    def layer(key):
        literal, other = layers.get(key, (key[1], None))
        return literal or layer((key[0], other))

    return [(layer(key), word, path, line) for key, word, path, line in cases]


# What is for people, and what names a layer or a code.
FOR_PEOPLE = "message|reason|summary|remedy|displayText|displayPath|displayName|shellText|localizedDescription|description"
# A boot loader's entry has a title that the loader goes by: `$0.title`.
TITLE = r"(?<![.\w])title|(?:release|guest|system|hypervisor|target|owner|plan|verdict|known)[?!]?\.title"
ASKS = r"\.(?:contains|hasPrefix|hasSuffix|starts|split|ranges|firstRange|firstMatch|wholeMatch|prefixMatch|matches)\("
CASED = r"(?:\.(?:lowercased|uppercased)\(\)|\.utf8|\.rawValue|\.hostBytes)*"
BRANCHES = re.compile(
    # error.message.contains("…"), error.message == "…", error.message.lowercased().hasPrefix("…")
    rf"(?:\b(?:{FOR_PEOPLE})|{TITLE})[?!]?{CASED}(?:{ASKS}|\s*(?:[=!~]=)\s*\"|\s*\?\?\s*\"\"\)?{CASED}(?:{ASKS}|\s*[=!]=\s*\"))"
    # error.code == "…", error.code == OtherCode.word.rawValue
    rf"|(?:\b(?:layer|layerName|code|typeName)|\.id\.word|\berror[?!]?\.word)[?!]?\s*[=!]=\s*(?:\"|\w+\.\w+\.rawValue\b)"
    rf"|\.(?:code|layer|layerName|typeName)[?!]?{CASED}\.(?:contains|hasPrefix|hasSuffix|starts)\("
    # "…" == error.message
    rf"|\"\s*(?:[=!~]=)\s*[\w.?!()$]*\b(?:{FOR_PEOPLE}|code|layer|layerName|typeName)\b(?!\s*[(:])"
    rf"|\w+\.\w+\.rawValue\s*[=!]=\s*[\w.?!$]*\.(?:code|layer|layerName)\b"
    # switch error.message { case "…"
    rf"|\bswitch\s+[\w.?!()$]*\.(?:{FOR_PEOPLE}|title|code|layer|layerName|typeName)[?!]?{CASED}\s*\{{\s*case\s*\""
    # ["…"].contains(error.code)
    rf"|\"\s*,?\s*\](?:\s*as\s+\S+\))?\.contains\(\s*[\w.?!$]*\.(?:{FOR_PEOPLE}|code|layer|layerName|typeName)\b"
    # if case "…" = error.code
    rf"|\bcase\s+\"\"?[^\"\n]*\"\s*=\s*[\w.?!$]*\.(?:{FOR_PEOPLE}|code|layer|layerName|typeName)\b"
    # "\\(error)".contains("…")
    rf"|\"\"?(?:error|\w*Error)\"\"?\.(?:contains|hasPrefix|hasSuffix)\("
    rf"|\bString\((?:describing|reflecting):\s*\w*[eE]rror\)\s*(?:{ASKS}|[=!]=)")
# let text = error.message, and then text.contains("…").
HELD = re.compile(rf"\b(?:let|var)\s+(\w+)(?:\s*:\s*\w+\??)?\s*=\s*[\w.?!$]*\w[?!]?\.(?:{FOR_PEOPLE}|title|code|layerName)[ \t]*(?=[\n,;{{}}]|$)")
TRAPS = re.compile(
    r"\btry!|\bas!|\b(?:fatalError|preconditionFailure|precondition|assertionFailure|unsafelyUnwrapped|abort|exit)\b(?=\s*\(|\s*$|\s*[,;)\n])"
    r"|\.unsafelyUnwrapped\b|[\w)\]}`\"?>]!(?![=\w\"(])|[\w)\]}`]!(?=\()")
HANDLERS = re.compile(
    r"\bsa_sigaction\b|\bsa_handler\b|\b__sigaction_handler\b|\b(?:sigset|bsd_signal|sysv_signal)\s*\(|"
    r"\bsignal\s*\(\s*\w+\s*(?:\)\s*\{|,(?!\s*SIG_(?:IGN|DFL)\b))")
CASTS = re.compile(r"\b(?:as[?]?|is)\s+(?:\(\s*)?any\s+\w")
CODES = re.compile(
    r"\bcode\s*[:=]\s*\"|\bErrorCode\(\s*layer\s*:\s*\"|\b\w*Code\(\s*rawValue\s*:\s*\"|\bword\s*:\s*\"[\w-]+\"\s*\)")


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
    drivers = driver_names(files)
    names = re.compile(r"\b(?:" + "|".join(sorted(drivers, key=len, reverse=True)) + r")\b")
    seen = {}
    for layer, word, path, line in codes_of(files):
        other = seen.setdefault((layer, word), path)
        if other != path or seen.get((path, layer, word)):
            breach("codes", path, line, f"the layer {layer} has the word {word} in {other} too")
        seen[(path, layer, word)] = True
    for path, text in files:
        target = path.split(os.sep)[1]
        allowed = targets.get(target, set()) | SYSTEM
        parts = pieces(text)
        joined, starts = plain(parts)
        for number, module in imports_of(text):
            if re.match(r"(?:Core)?Foundation", module):
                if target != COMMAND:
                    breach("foundation", path, number, f"{target} imports {module}")
            elif module not in allowed:
                breach("imports", path, number, f"{target} imports {module}, which Package.swift does not give it")

        def each(pattern):
            for m in pattern.finditer(joined):
                yield m, line_at(joined, starts, m.start())

        for (kind, part, at) in parts:
            if kind != "code":
                continue
            for m in TRAPS.finditer(part):
                if target == COMMAND and m[0] == "exit" or m[0] == "precondition" and path in CHECKED:
                    continue
                breach("traps", path, at + part.count("\n", 0, m.start()), m[0])
            for m in HANDLERS.finditer(part):
                breach("handlers", path, at + part.count("\n", 0, m.start()), m[0])
            if path in REGISTRIES or os.path.basename(path).endswith("Registry.swift"):
                continue
            for m in names.finditer(part):
                home = drivers[m[0]]
                if not path.startswith(home + os.sep):
                    breach("drivers", path, at + part.count("\n", 0, m.start()), f"{m[0]} is named outside of {home} and the registries")
        for m, line in each(BRANCHES):
            breach("words", path, line, f"branches on {m[0].strip()}…")
        for m in HELD.finditer(joined):
            # To the end of what it is declared in, as far as indentation tells.
            rest = joined[m.end():]
            indent = len(joined[joined.rfind("\n", 0, m.start()) + 1:m.start()]) - len(joined[joined.rfind("\n", 0, m.start()) + 1:m.start()].lstrip())
            end = re.search(rf"\n {{0,{max(indent - 1, 0)}}}\}}", rest)
            scope = rest[:end.start() if end else len(rest)]
            used = re.search(
                rf"\b{m[1]}[?!]?{CASED}(?:\.(?:contains|hasPrefix|hasSuffix|starts)\(|\s*[=!~]=\s*\")|\"\s*[=!]=\s*{m[1]}\b"
                rf"|\bswitch\s+{m[1]}\s*\{{\s*case\s*\"|\"\s*\]\.contains\({m[1]}\)", scope)
            if used:
                breach("words", path, line_at(joined, starts, m.end() + used.start()), f"branches on {used[0].strip()}…, which is {m[0].split('=')[1].strip()}")
        for m, line in each(CODES):
            breach("codes", path, line, "a literal code")
        if target == "Patcher":
            for m, line in each(CASTS):
                breach("casts", path, line, "a cast to a protocol")
        if target != COMMAND and not path.startswith(SCRIPTS):
            for part, at in sentences(parts):
                bare = re.sub(rf"\b(?:{PROGRAMS})(?: -?[\w^=./]+)+", "", part)
                short = re.search(r"(?:^|[\s(`'“,;:])-[A-Za-z](?![\w-])", bare)
                # A word alone is what some program's configuration says.
                if " " not in part.strip():
                    continue
                if short and re.search("[A-Za-z]{2}", part) or re.search(r"(?<![\w-])--[a-z]", bare) or re.search(
                        r"\bdiskgraft(?:['’`\"”]|,? to)? (?:[a-z]+\b|$)", part):
                    breach("flags", path, at, part.strip()[:80])
    return found


def sentences(parts):
    """(text, line) of every string, those that are added up as one."""
    text, line, open_ = "", 0, False
    for kind, part, at in parts:
        if kind == "string":
            if not open_:
                text, line = "", at
            text, open_ = text + part, True
        elif kind == "code" and open_ and not re.fullmatch(r"\s*\+\s*", part):
            yield text, line
            open_ = False
    if open_:
        yield text, line


# Spellings of each rule's breach: where one would stand, and how it may be written.
SEEDS = {
    "imports": ("Sources/Storage", [
        "import Ext4", "internal import Ext4", "package import Ext4", "public import Ext4", "private import Ext4",
        "fileprivate import Ext4", "@preconcurrency import Ext4", "@preconcurrency internal import Ext4", "internal @preconcurrency import Ext4",
        "@testable import Ext4", "@_exported import Ext4", "@_spi(Whole) import Ext4", "@_spi(A)\nimport Ext4",
        "@_documentation(visibility: internal) import Ext4", "import struct Ext4.Geometry", "import class Ext4.Ext4FileSystem",
        "import enum Ext4.Ext4Driver", "import func Ext4.hash", "import var Ext4.limit", "import let Ext4.limit", "import protocol Ext4.VolumeView",
        "import typealias Ext4.Number", "public import struct Ext4.Geometry", "import Ext4.Geometry", "import Glibc; import Ext4",
        "  import Ext4", "/* why */ import Ext4", "import  Ext4", "import `Ext4`", "#if true\nimport Ext4\n#endif",
    ]),
    "imports of tests": ("Tests/StorageTests", [
        "import Ext4", "internal import Ext4", "@testable import Ext4", "@testable internal import Ext4", "import struct Ext4.Geometry",
        "import Testing; @testable import Ext4",
    ]),
    "foundation": ("Sources/Storage", [
        "import Foundation", "internal import Foundation", "public import Foundation", "package import Foundation", "private import Foundation",
        "@preconcurrency import Foundation", "@preconcurrency package import Foundation", "@_exported import Foundation",
        "@_implementationOnly import Foundation", "import FoundationEssentials", "import FoundationNetworking", "import FoundationXML",
        "import FoundationInternationalization", "import class Foundation.Process", "import struct Foundation.Data", "import func Foundation.exp",
        "import Foundation.NSString", "import CoreFoundation", "  import Foundation", "import Glibc; import Foundation", "import `Foundation`",
        "#if canImport(FoundationEssentials)\nimport FoundationEssentials\n#endif",
    ]),
    "traps": ("Sources/Storage", [
        "let a = try! f()", "let a = b as! Int", "let a = b.first!", "let a = b.first!.c", "let a = b![0]", "let a = f()!", "let a = b[0]!",
        "let a = b!, c = 1", "let a = (b!)", "let a = [b!]", "let a = b!+1", "let a = b! + 1", "let a = -b!", "let a = b!..<c!", "let a = b!\n",
        "let a = b!;", "let a = b! // known", "let a = { b }()!", "let a = b?.c!", "let a = b!!", "let a = b!?.c", "b!.c = 1", "b! = 1", "b!()",
        "let a = `default`!", "let a = \"\\(b!)\"", "let a = Int(\"3\")!", "var a: Int!", "var a: [Int]!", "func f(_ a: Int!) {}", "let a = b.unsafelyUnwrapped",
        "fatalError()", "fatalError (\"no\")", "Swift.fatalError(\"no\")", "let a = b ?? fatalError()", "let stop: () -> Never = { fatalError() }",
        "preconditionFailure()", "preconditionFailure(\"no\")", "precondition(a > 0)", "assertionFailure(\"no\")", "abort()", "exit(1)", "Glibc.exit(1)",
    ]),
    "drivers": ("Sources/Conversion", [
        "let a = QCOW2Driver.self", "let a: QCOW2Driver.Type", "let a = ImageFormats.QCOW2Driver.self", "let a = [QCOW2Driver.self, VDIDriver.self]",
        "let a = f(QCOW2Driver.self)", "let a = QCOW2Driver.open(file)", "let a = try QCOW2Driver.describe(file)", "typealias A = QCOW2Driver",
        "func f<D: QCOW2Driver>(_: D) {}", "let a: Array<QCOW2Driver.Type> = []", "let a: (any ImageDriver.Type)? = QCOW2Driver.self",
        "if d is QCOW2Driver.Type {}", "if d == QCOW2Driver.self {}", "let a = d as? QCOW2Driver.Type", "extension QCOW2Driver {}",
        "extension QCOW2Driver: Later {}", "switch d { case is VHDDriver.Type: break }", "let a = ObjectIdentifier(VDIDriver.self)",
        "let a = \"\\(QCOW2Driver.format)\"", "let a = \\QCOW2Driver.format", "let a = `QCOW2Driver`.self", "let a = XFSDriver.layer",
        "let a = Ext4Driver.repairTool", "let a = QED\u00adDriver.self".replace("\u00ad", ""), "let a = AliasOfADriver.self", "let a = OddlyCalled.self",
        "let a = FromAnExtension.self", "let a = ByAnotherName.self",
    ]),
    "flags": ("Sources/Ext4", [
        'let a = "name it with --parent FILE"', 'let a = "use --force"', 'let a = "(--parent names it)"', 'let a = "“--parent” names it"',
        'let a = "`--parent` names it"', "let a = \"'--parent' names it\"", 'let a = "name it: --parent=FILE"', 'let a = "see --to/--from here"',
        'let a = "--parent names it"', 'let a = "with a blank,--parent"', 'let a = "name it with " + "--parent"', 'let a = "name it with --" + "parent FILE"',
        'let a = "name it"\n    + " with --parent"', 'let a = "\\(b) takes --parent"', 'let a = "name \\(b) with --parent"',
        'let a = """\n    name it with --parent\n    """', 'let a = "read it all the same with -U"', 'let a = "give (-p) a parent"', 'let a = "-U reads it all the same"',
        'let a = "try ‘it’ with \'-U\'"', 'let a = "run diskgraft check"', 'let a = "run `diskgraft undo`"', 'let a = "diskgraft undo puts it back"',
        'let a = "ask diskgraft to undo it"', 'let a = "run diskgraft \\(verb)"',
    ]),
    "words": ("Sources/Ext4", [
        'let a = error.message.contains("gone")', 'let a = error.message.hasPrefix("gone")', 'let a = error.message.hasSuffix("gone")',
        'let a = error.message == "gone"', 'let a = error.message != "gone"', 'let a = "gone" == error.message', 'let a = "gone" != error?.message',
        'let a = error.message.lowercased().contains("gone")', 'let a = error?.message.contains("gone")', 'let a = error!.reason.contains("gone")',
        'let a = error.message.utf8.starts(with: "gone".utf8)', 'let a = error.message.split(separator: ":")', 'let a = "gone" ~= error.message',
        'switch error.message {\ncase "gone": break\ndefault: break\n}', 'switch error.code {\ncase "gone": break\ndefault: break\n}',
        'let a = ["gone", "lost"].contains(error.code)', 'let a = ["gone"].contains(error.message)', 'let a = error.code == "gone"', 'let a = error.layer == "ext4"',
        'let a = error.layer != "ext4"', 'let a = "gone" == error.code', 'let a = error.code == Ext4Code.gone.rawValue', 'let a = Ext4Code.gone.rawValue == error.code',
        'let a = error.code.hasPrefix("bad-")', 'let a = error.id.word == "gone"', 'if case "gone" = error.code {}',
        'let text = error.message\nif text.contains("gone") {}', 'let code = error.code\nif code == "gone" {}', 'let code = error.code\nswitch code {\ncase "gone": break\ndefault: break\n}',
        'if let m = error?.message, m.hasPrefix("gone") {}', 'let a = "\\(error)".contains("gone")', 'let a = String(describing: error).contains("gone")',
        'let a = error.localizedDescription.contains("gone")', 'let a = release.title.contains("Fedora")', 'let a = release?.title.contains("Fedora") == true',
        'let a = title.lowercased().contains("suse")', 'let a = finding.displayPath.hasPrefix("/etc")', 'let a = volume.typeName == "Linux"',
        'let a = (error?.message ?? "").contains("gone")', 'let a = try error.message.firstMatch(of: /gone/)',
    ]),
    "codes": ("Sources/Ext4", [
        'let a = StorageError(.refused, layer: "x", code: "y", "z")', 'let a = StorageError(.refused, code:"y", "z")', 'a.code = "y"', 'let code = "y"', 'code="y"',
        'let a = ErrorCode(layer: "x", word: "y")', 'let a = Ext4Code(rawValue: "y")', 'let a = Ext4Code( rawValue: "y")', 'let a = f(word: "y")',
        'enum TwiceCode: String, LayerCode {\n    static let layer = "ext4"\n    case badMagic = "bad-magic"\n}',
        'enum TwiceCode: String, LayerCode {\n    static let layer: String = "ext4"\n    case a, other = "bad-magic"\n}',
        'enum TwiceCode: String, LayerCode {\n    static var layer: String { Ext4Code.layer }\n    case other = "bad-magic"\n}',
        'package enum TwiceCode: String, CaseIterable, LayerCode {\n    package static var layer: String { "ext4" }\n    case encrypted\n}',
        'enum TwiceCode: String, LayerCode {\n    static let layer = "own"\n    case one = "same"\n    case two = "same"\n}',
    ]),
    "handlers": ("Sources/diskgraft", [
        "func f(_ a: inout sigaction) { a.__sigaction_handler.sa_handler = { _ in } }", "a.sa_sigaction = f", "a.__sigaction_handler = b", "signal(SIGINT) { _ in }",
        "signal(SIGINT, f)", "signal(SIGTERM, { _ in })", "signal( SIGINT , f)", "signal (SIGINT, f)", "Glibc.signal(SIGINT, f)", "_ = signal(number, f)", "sigset(SIGINT, f)",
        "bsd_signal(SIGINT, f)", "sysv_signal(SIGINT, f)",
    ]),
    "casts": ("Sources/Patcher", [
        "let a = b as? any BootMenu", "let a = b as? any BootMenu.Type", "let a = (b as? any GRUB2Text)?.menu", "let a = b is any GRUBMenu",
        "for case let a as any BootMenu.Type in b {}", "let a = b.compactMap { $0 as? any NetworkSyntax.Type }", "switch a { case is any GuestRule.Type: break }",
        "let a = b as? (any BootMenu)",
    ]),
    "tests": ("docs", [
        "Held by `NoSuchTests.atAll`.", "Held by `NoSuchTests`.", "(`NoSuchTests`)", "| a | `NoSuchTests.b` |", "- `OVAArchiveTests.noSuchTest`",
    ]),
}

# What the page may draw otherwise than it is: how, and what is said of it.
REDRAWN = [
    ("| `Sources/HostIO` |", "| `Sources/HostOI` |", "does not draw Sources/HostIO"),
    ("the transaction over them, undo records | Storage, HostIO |", "the transaction over them, undo records | Storage |",
     "Undo depends on HostIO, which docs/architecture.md does not draw"),
    ("transactions through the log | Storage |", "transactions through the log | Storage, Codecs |",
     "draws Codecs for XFS, which Package.swift does not give it"),
    ("| `Sources/FAT` |", "| `Sources/Nowhere` | nothing | – |\n| `Sources/FAT` |", "draws Sources/Nowhere, which Package.swift does not have"),
]
# Dependencies that Package.swift may give and no file uses.
REBUILT = {"FAT": "Codecs", "XFSTests": "FAT"}

# What other seeds refer to, at home in a folder of its own.
AT_HOME = {
    "Sources/ImageFormats/SeedHome/Home.swift":
        "typealias AliasOfADriver = QCOW2HomeDriver\nstruct QCOW2HomeDriver: Sendable,\n    ImageDriver {}\nstruct OddlyCalled: ReadOnlyDriver {}\n"
        "struct FromAnExtension {}\nextension FromAnExtension: BackedDriver {}\ntypealias DriverByName = ImageDriver\nstruct ByAnotherName: DriverByName {}\n",
}

# What looks like a breach and is none.
SOUND = {
    "Sources/Ext4/Sound1.swift":
        'internal import Storage\n// import Foundation\n/* import Ext4 */\nlet a = "import Foundation"\nlet text = """\nimport Foundation\n"""\n'
        "let b = c != d, e = !f, g = a !== b\nlet h = [1].map { !$0 }\n// fatalError(), x!\nlet i = \"really!\"\nlet j = \"a! b\", k = \"\\(c)!\"\n",
    "Sources/Ext4/Sound2.swift":
        'let a = "run e2fsck -f on it; chattr -R +i is not undone", b = "a - b", c = "x -- y", d = "read-only", e = "2-A", f = "--set"\n'
        'let g = "diskgraft\'s own", h = "run qemu-img check"\nlet i = message.isEmpty, j = error.isCode(Ext4Code.badMagic), k = $0.title == "a"\n'
        'let l = error.code == other.code, m = Ext4Code.badMagic.rawValue\nlet n = Ext4Code(rawValue: word)\nlet o = name.contains("x"), p = text == "y"\n',
    "Sources/diskgraft/Sound3.swift":
        'import Foundation\nlet a = "--parent FILE names it"\nsignal(SIGPIPE, SIG_IGN)\nsignal(SIGINT, SIG_DFL)\nfunc f() { exit(1) }\n',
}


def prove(root, package):
    """Puts every spelling into a copy, each into a file of its own, and sees that each is found, and nothing else."""
    failed = False
    for rule in set(re.findall(r"^  (\w+) ", __doc__, re.M)) ^ {rule.split(" ")[0] for rule in SEEDS}:
        print(f"the rule {rule} has no breach to find, or no word at the top of this file")
        failed = True
    with tempfile.TemporaryDirectory() as copy:
        for folder in ("Sources", "Tests", "docs"):
            shutil.copytree(os.path.join(root, folder), os.path.join(copy, folder))
        seeds = {}
        for rule, (folder, spellings) in SEEDS.items():
            for number, text in enumerate(spellings):
                name = f"seed-{number}.md" if folder == "docs" else f"Seed{rule.title().replace(' ', '')}{number}.swift"
                seeds[os.path.join(folder, name)] = (rule.split(" ")[0], text)
        for path, text in {**{path: text for path, (_, text) in seeds.items()}, **AT_HOME, **SOUND}.items():
            place = os.path.join(copy, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w") as file:
                file.write(text + "\n")
        page = os.path.join(copy, PAGE)
        with open(page, encoding="utf-8") as file:
            drawing = file.read()
        for old, new, _ in REDRAWN:
            if drawing.count(old) != 1:
                print(f"{PAGE} has not once {old!r}")
                failed = True
            drawing = drawing.replace(old, new)
        with open(page, "w", encoding="utf-8") as file:
            file.write(drawing)
        package = json.loads(json.dumps(package))
        for target in package["targets"]:
            for name, more in REBUILT.items():
                if target["name"] == name:
                    target["dependencies"].append({"byName": [more, None]})
        found = check(copy, package)
        for expected in [said for _, _, said in REDRAWN] + [f"no file of {name} imports {more}" for name, more in REBUILT.items()]:
            if not any(r == "imports" and f.endswith(expected) for r, f in found):
                print(f"the rule imports does not find that {expected}")
                failed = True
        for path, (rule, text) in seeds.items():
            if not any(r == rule and f.startswith(path + ":") for r, f in found):
                print(f"the rule {rule} does not find {text!r}")
                failed = True
        for _, line in found:
            if line.split(":")[0] in SOUND or line.split(":")[0] in AT_HOME:
                print(f"no breach: {line}")
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
