import Foundation
import TestSupport
import Testing

/// Random archives with hostile names and links: into a guest, where all but the directory that was named is watched, and disks out of
/// appliances, in a directory of the host whose outside is watched.
@Suite(.enabled(if: Tool.has("mke2fs", "python3", "find", "sh"), "judges are missing"))
struct ArchiveFuzzTests {
    enum Kind: String, CaseIterable {
        case ext4, xfs, fat

        func make(_ image: String) throws -> Bool {
            switch self {
            case .ext4: try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [image])
            case .xfs:
                guard Tool.has("mkfs.xfs") else { return false }
                try Tool.run("mkfs.xfs", ["-q", image])
            case .fat:
                guard Tool.has("mkfs.vfat") else { return false }
                try Tool.run("mkfs.vfat", ["-F", "32", image])
            }
            return true
        }
    }

    /// Members with names, targets and types that are drawn by a seed.
    private static let archive = """
        import io, random, sys, tarfile
        r = random.Random(int(sys.argv[2]))
        names = ['../evil', '/abs', 'a/../../evil', './x', 'a', 'b', 'a/b', 'a/b/c', 'l', 'l/x', 'l/../../evil', 'out', 'out/x', '..', '.',
                 'top', 'keep', 'a//b', 'h', 'n\\u00e9', 'x' * 200]
        targets = ['..', '../..', '/', '/keep', '../../keep', '../keep', '../../../../../../../../etc/passwd', 'a', 'a/b', 'l', 'keep', '.']
        t = tarfile.open(sys.argv[1], 'w', format=r.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
        # With a prefix that makes most of them harmless, or without.
        tame = r.random() < 0.5
        for i in range(r.randint(1, 12)):
            name = r.choice(names)
            if tame and ('..' in name or name.startswith('/')): continue
            m = tarfile.TarInfo(name)
            m.mode = r.choice([0o644, 0o6755, 0o777])
            kind = r.choice('fffdslhn')
            if kind == 'f':
                m.size = 5
                t.addfile(m, io.BytesIO(b'evil\\n'))
                continue
            m.type = {'d': tarfile.DIRTYPE, 's': tarfile.SYMTYPE, 'l': tarfile.SYMTYPE, 'h': tarfile.LNKTYPE, 'n': tarfile.FIFOTYPE}[kind]
            if kind in 'slh': m.linkname = r.choice(targets)
            t.addfile(m)
        t.close()
        """

    private static func outside(_ image: String, _ destination: String) throws -> [Substring] {
        try Tool.run(
            Fixture.command, ["ls", "-R", "--json", "--hash", "sha256", "--volume", "disk", image, "/"]
        ).text.split(separator: "\\n").filter { !$0.contains("\"path\":\"\(destination)") }
    }

    @Test(arguments: Kind.allCases) func untarStaysInItsDirectory(_ kind: Kind) throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("v.img", byteCount: kind == .ext4 ? 16 << 20 : 320 << 20)
        guard try kind.make(image) else { return }
        let keep = try directory.write("keep", "kept\n")
        for command in [
            ["mkdir", "-p", image, "/top/dest"], ["put", image, keep, "/keep"],
            ["put", image, keep, "/top/keep"],
        ] {
            try Tool.run(Fixture.command, command + ["--volume", "disk"])
        }
        // A directory's own times and links are its names' business.
        func state() throws -> [String] {
            try Self.outside(image, "/top/dest").map { line in
                line.contains("\"type\":\"directory\"") ? String(line.prefix { $0 != "," }) : String(line)
            }
        }
        let before = try state()
        var taken = 0
        for seed in 1...20 {
            let archive = directory.path("a.tar")
            try Tool.run("python3", ["-c", Self.archive, archive, String(seed)])
            let result = try Tool.run(
                Fixture.command, ["untar", "--volume", "disk", image, archive, "/top/dest"], expect: nil)
            #expect([0, 1, 2].contains(result.status), "\(seed): \(result.errorText)")
            if result.status == 0 { taken += 1 }
            #expect(try state() == before, "\(seed)")
            if result.status == 0 {
                try Fixture.diskgraft("undo", image)
                // So many names are not there.
                #expect(try state() == before, "\(seed)")
            }
        }
        #expect(taken > 0 && taken < 20)
        try Fixture.diskgraft("check", image)
    }

    /// The members of an appliance of one disk, with names, order, links and doubles drawn by a seed.
    private static let appliance = """
        import io, random, sys, tarfile
        r = random.Random(int(sys.argv[3]))
        source = tarfile.open(sys.argv[1])
        members = [(m, source.extractfile(m).read() if m.isreg() else b'') for m in source]
        hostile = ['../evil', '../../evil', '/tmp/evil-abs', 'a/../../evil', 'dd/x', '..', '.', 'Ref:1/../../evil', 'ova.xml', 'x' * 99]
        out = tarfile.open(sys.argv[2], 'w', format=tarfile.GNU_FORMAT)
        link = tarfile.TarInfo('dd')
        link.type, link.linkname = tarfile.SYMTYPE, '../outside'
        if r.random() < 0.5: out.addfile(link)
        for m, data in members:
            if r.random() < 0.1: continue
            if r.random() < 0.2: m.name = r.choice(hostile)
            if r.random() < 0.1: m.type, m.linkname, m.size, data = r.choice([tarfile.SYMTYPE, tarfile.LNKTYPE]), '../../canary', 0, b''
            out.addfile(m, io.BytesIO(data))
            if r.random() < 0.1: out.addfile(m, io.BytesIO(data))
        out.close()
        """

    @Test(arguments: ["xva", "ova"]) func appliancesStayInTheirPlace(_ suffix: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("raw.img", byteCount: 3 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [raw])
        let made = directory.path("sound." + suffix)
        let result = try Tool.run(Fixture.command, ["convert", raw, made], expect: nil)
        // Not every kind is made here.
        guard result.status == 0 else { return }
        let watched = directory.path("watched")
        try Tool.run(
            "sh",
            [
                "-c",
                "mkdir -p \"$0/a/b\" \"$0/outside\"; for d in . a a/b outside; do echo canary > \"$0/$d/canary\"; done",
                watched,
            ])
        func state() throws -> String {
            try Tool.run(
                "sh",
                [
                    "-c",
                    "cd \"$0\" && find . -path './a/b/out*' -prune -o ! -path ./a/b -printf '%p %y %m %s %T@ %l\\n' | LC_ALL=C sort",
                    watched,
                ]
            ).text
        }
        let before = try state()
        for seed in 1...20 {
            let archive = directory.path("hostile." + suffix)
            try Tool.run("python3", ["-c", Self.appliance, made, archive, String(seed)])
            for command in [
                ["convert", archive, "out.qcow2"], ["convert", "--salvage", archive, "out.raw"],
                ["info", archive], ["check", archive],
                ["get", "--volume", "disk", archive, "/", "out"],
            ] {
                let result = try Tool.run(Fixture.command, command, directory: watched + "/a/b", expect: nil)
                #expect(result.status < 128, "\(seed) \(command[0]): \(result.errorText)")
                #expect(try state() == before, "\(seed) \(command[0])")
                try Tool.run("sh", ["-c", "rm -rf \"$0\"/a/b/out*", watched])
            }
            #expect(!FileManager.default.fileExists(atPath: "/tmp/evil-abs"))
        }
    }
}
