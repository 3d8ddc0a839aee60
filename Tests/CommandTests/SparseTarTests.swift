import Foundation
import TestSupport
import Testing

/// Archives of files with holes (`tar -S`), in all the formats that GNU tar makes: holes stay holes.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "tar", "python3"), "judges are missing"))
struct SparseTarTests {
    /// GNU tar's options for a format.
    private static let formats = [
        ["--format=gnu"], ["--format=oldgnu"], ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"], ["--format=posix", "--sparse-version=1.0"],
    ]

    private static let script = """
        import os
        long = 'l' * 150
        os.makedirs('s/' + long)
        def make(name, size, *places):
            with open('s/' + name, 'wb') as f:
                for place in places: f.seek(place); f.write(os.urandom(5000))
                f.truncate(size)
        make('first', 3 << 20, 0); make('last', (3 << 20) + 5000, 3 << 20); make('hole', 1 << 30)
        make('middle', 20 << 20, 9 << 20); make('odd', 1000001, 4096 * 100)
        make('many', 64 << 20, *range(1 << 20, 60 << 20, 1 << 20)); make(long + '/' + long, 1 << 20, 1 << 19)
        make('tera', 1 << 40, 1 << 39)
        open('s/full', 'wb').write(os.urandom(50000)); open('s/empty', 'wb')
        """

    @Test(arguments: formats, [EditCommandTests.ext4, EditCommandTests.ext2])
    func holesStayHoles(_ format: [String], _ features: [String]) throws {
        let directory = try TemporaryDirectory()
        try Tool.run("python3", ["-c", Self.script], directory: directory.root)
        // A file of this length has no place where the map has one level less.
        if features == EditCommandTests.ext2 {
            try FileManager.default.removeItem(atPath: directory.path("s/tera"))
        }
        let archive = directory.path("s.tar")
        try Tool.run("tar", ["-S"] + format + ["-cf", archive, "s"], directory: directory.root)
        let kept = try #require(
            try FileManager.default.attributesOfItem(atPath: archive)[.size] as? Int)
        try #require(kept < 4 << 20)
        let image = try directory.sparse("fs.img", byteCount: 24 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + features + [image])
        // Twice is once; the second time everything is there already.
        for _ in 0..<2 {
            try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
            try Debugfs(image).check()
        }
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path("s"))
        for name in names where name != "tera" {
            let path = directory.path("s/" + name)
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            if type == .typeDirectory { continue }
            let compared = try Tool.run(
                "sh",
                [
                    "-c", "\"$0\" cat --volume disk \"$1\" \"$2\" | cmp - \"$3\"", Fixture.command, image,
                    "/s/" + name, path,
                ], expect: nil)
            #expect(compared.status == 0, "\(name): \(compared.text)\(compared.errorText)")
        }
        for (name, limit) in [
            ("first", 16384), ("hole", 0), ("middle", 24576), ("many", 59 * 12288 + 16384), ("full", 57344),
            ("tera", 24576),
        ] where names.contains(name) {
            let stat = try Fixture.diskgraft("stat", "--volume", "disk", image, "/s/" + name).text
            let sizes = try #require(stat.split(separator: "\n").first { $0.hasPrefix("size:") })
                .split { !"0123456789".contains($0) }.compactMap { Int($0) }
            let theirs = try FileManager.default.attributesOfItem(atPath: directory.path("s/" + name))
            #expect(sizes.first == theirs[.size] as? Int, "\(name): \(stat)")
            #expect(sizes.count == 2 && sizes[1] <= limit, "\(name): \(stat)")
        }
    }

    /// A file system without holes has zeros in their places.
    @Test(.enabled(if: Tool.has("mkfs.vfat")), arguments: formats)
    func withoutHolesTheyAreZeros(_ format: [String]) throws {
        let directory = try TemporaryDirectory()
        try directory.write("s/a", [])
        let path = directory.path("s/a")
        try Tool.run(
            "python3",
            [
                "-c",
                "import os,sys; f=open(sys.argv[1],'wb'); f.seek(700000); f.write(os.urandom(9000)); f.truncate(2000001)",
                path,
            ])
        let archive = directory.path("s.tar")
        try Tool.run("tar", ["-S"] + format + ["-cf", archive, "s/a"], directory: directory.root)
        let image = try directory.sparse("fat.img", byteCount: 16 << 20)
        try Tool.run("mkfs.vfat", [image])
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        let compared = try Tool.run(
            "sh",
            ["-c", "\"$0\" cat --volume disk \"$1\" /s/a | cmp - \"$2\"", Fixture.command, image, path],
            expect: nil)
        #expect(compared.status == 0, "\(compared.text)\(compared.errorText)")
    }

    /// Pieces of a few bytes, many of them in one block of the guest's, and one of a megabyte across.
    @Test(.enabled(if: Tool.has("mkfs.xfs", "xfs_repair")), arguments: ["ext4", "ext2", "inline", "xfs"])
    func piecesShareBlocks(_ kind: String) throws {
        let directory = try TemporaryDirectory()
        let program = """
            import random, sys, tarfile
            random.seed(7)
            data = bytearray(); runs = []; position = 0
            whole = bytearray(3 << 20)
            while position < 2 << 20:
                n = random.choice([1, 7, 100, 511, 4096, 5000])
                if len(runs) == 900: n = 1 << 20
                piece = random.randbytes(n); whole[position:position + n] = piece
                runs.append((position, n)); data += piece
                position += n + random.choice([0, 1, 20, 700, 9000])
            if sys.argv[3] == 'inline': runs = [(3, 20), (30, 1), (9000, 5)]; data = data[:26]; whole = bytearray(9005)
            if sys.argv[3] == 'inline':
                at = 0
                for o, n in runs: whole[o:o + n] = data[at:at + n]; at += n
            map = ('%d\\n' % len(runs) + ''.join('%d\\n%d\\n' % r for r in runs)).encode()
            map += b'\\0' * (-len(map) % 512)
            i = tarfile.TarInfo('x'); i.size = len(map) + len(data)
            i.pax_headers = {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'a',
                             'GNU.sparse.realsize': str(len(whole))}
            with open(sys.argv[1], 'wb') as out:
                out.write(i.tobuf(format=tarfile.PAX_FORMAT)); out.write(map); out.write(data)
                out.write(b'\\0' * (-(len(map) + len(data)) % 512 + 1024))
            open(sys.argv[2], 'wb').write(whole)
            """
        let (archive, whole) = (directory.path("a.tar"), directory.path("whole"))
        try Tool.run("python3", ["-c", program, archive, whole, kind])
        let image = try directory.sparse("fs.img", byteCount: (kind == "xfs" ? 320 : 16) << 20)
        let options =
            kind == "ext2"
            ? EditCommandTests.ext2 : EditCommandTests.ext4 + (kind == "inline" ? ["-O", "inline_data"] : [])
        if kind == "xfs" {
            try Tool.run("mkfs.xfs", ["-q", image])
        } else {
            try Tool.run("mke2fs", ["-q", "-F"] + options + [image])
        }
        for _ in 0..<2 {
            try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
            if kind == "xfs" {
                try Tool.run("xfs_repair", ["-n", "-f", image])
            } else {
                try Debugfs(image).check()
            }
            let compared = try Tool.run(
                "sh",
                ["-c", "\"$0\" cat --volume disk \"$1\" /a | cmp - \"$2\"", Fixture.command, image, whole],
                expect: nil)
            #expect(compared.status == 0, "\(compared.text)\(compared.errorText)")
        }
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let name: String
        let body: String
        var status: Int32 = 1
        var says = "contradicts itself"
        var testDescription: String { name }
    }

    /// `pax` gives a member records, `new` one of format 1.0 its map, `old` a member of GNU's type its pairs.
    private static let hostile = [
        Hostile(name: "overlap", body: "old(20, b'x' * 20, [(0, 10), (5, 10)])"),
        Hostile(name: "backwards", body: "new(30, '2\\n20\\n5\\n0\\n5\\n', b'x' * 10)"),
        Hostile(name: "beyond the end", body: "old(20, b'x' * 10, [(15, 10)])"),
        Hostile(name: "marker beyond the end", body: "old(20, b'x' * 10, [(0, 10), (21, 0)])"),
        Hostile(name: "too little data", body: "old(20, b'x' * 5, [(0, 10)])"),
        Hostile(name: "too much data", body: "old(20, b'x' * 15, [(0, 10)])"),
        Hostile(
            name: "negative offset", body: "old(20, b'x' * 10, [(-5, 10)])", says: "negative offset of data"),
        Hostile(
            name: "negative count", body: "old(20, b'', [(0, -5)])", says: "negative count of data"),
        Hostile(name: "negative length", body: "old(-20, b'', [(0, 0)])", says: "negative length"),
        Hostile(
            name: "one piece too many", body: "new(1 << 40, f'{(1 << 17) + 1}\\n0\\n5\\n', b'x' * 5)",
            status: 2,
            says: "131073 pieces between holes"),
        Hostile(name: "no map", body: "old(20, b'x' * 15, [])"),
        Hostile(name: "offset overflows", body: "new(30, '1\\n18446744073709551615\\n5\\n', b'x' * 5)"),
        Hostile(
            name: "length overflows", body: "new(18446744073709551615, '1\\n0\\n5\\n', b'x' * 5)"),
        Hostile(name: "map without an end", body: "new(30, '1\\n0\\n', b'')"),
        Hostile(name: "map of one long number", body: "new(30, '1' * 600, b'')"),
        Hostile(name: "map of words", body: "new(30, 'one\\n0\\n5\\n', b'x' * 5)"),
        Hostile(
            name: "pieces without end", body: "new(1 << 40, '99999999\\n0\\n5\\n', b'x' * 5)", status: 2,
            says: "pieces between holes"),
        Hostile(
            name: "more pieces than numbers", body: "new(30, '18446744073709551615\\n0\\n5\\n', b'x' * 5)",
            status: 2, says: "pieces between holes"),
        Hostile(name: "no length", body: "pax({'GNU.sparse.map': '0,5'}, b'x' * 5)"),
        Hostile(
            name: "half a pair", body: "pax({'GNU.sparse.size': '9', 'GNU.sparse.map': '0,5,7'}, b'x' * 5)"),
        Hostile(
            name: "count of another map",
            body:
                "pax({'GNU.sparse.size': '9', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '0,5'}, b'x' * 5)"
        ),
        Hostile(
            name: "counts alone",
            body: "pax({'GNU.sparse.size': '9', 'GNU.sparse.numbytes': '5'}, b'x' * 5)"),
        Hostile(
            name: "not a number", body: "pax({'GNU.sparse.size': '-9', 'GNU.sparse.map': '0,5'}, b'x' * 5)",
            says: "no number"),
        Hostile(
            name: "another version", body: "pax({'GNU.sparse.major': '2', 'GNU.sparse.size': '9'}, b'x' * 5)",
            status: 2, says: "not known"),
        Hostile(
            name: "a directory", body: "pax({'GNU.sparse.size': '9', 'GNU.sparse.map': '0,5'}, b'', b'5')",
            says: "is no file"),
        Hostile(
            name: "another program's type", body: "old(20, b'x' * 10, [(0, 10)], b'ustar\\x0000')", status: 2,
            says: "not known"),
        Hostile(
            name: "a name that leads out",
            body:
                "pax({'GNU.sparse.size': '9', 'GNU.sparse.map': '0,5', 'GNU.sparse.name': '../x'}, b'x' * 5)",
            status: 2, says: "leads out"),
        Hostile(
            name: "longer than a file can be", body: "new(1 << 62, '1\\n0\\n5\\n', b'x' * 5)", status: 2,
            says: "bytes long"),
        Hostile(
            name: "data where no file reaches", body: "new((1 << 62) + 5, f'1\\n{1 << 62}\\n5\\n', b'x' * 5)",
            status: 2, says: "bytes long"),
    ]

    @Test(arguments: hostile)
    func hostileMapsWriteNothing(_ item: Hostile) throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [image])
        let program = """
            import tarfile, io, sys
            out = open(sys.argv[1], 'wb')
            def put(info, data, format):
                info.size = len(data)
                out.write(info.tobuf(format=format)); out.write(data); out.write(b'\\0' * (-len(data) % 512))
            def pax(records, data, type=tarfile.REGTYPE):
                i = tarfile.TarInfo('GNUSparseFile.1/a'); i.type = type; i.pax_headers = records
                put(i, data, tarfile.PAX_FORMAT)
            def new(size, map, data):
                map = map.encode(); map += b'\\0' * (-len(map) % 512)
                pax({'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'a',
                     'GNU.sparse.realsize': str(size)}, map + data)
            def old(size, data, pairs, magic=b'ustar  \\0'):
                i = tarfile.TarInfo('a'); i.type = b'S'; i.size = len(data)
                h = bytearray(i.tobuf(format=tarfile.GNU_FORMAT))
                h[257:257 + len(magic)] = magic
                num = lambda n: b'%011o\\0' % n if n >= 0 else n.to_bytes(12, 'big', signed=True)
                for n, (o, c) in enumerate(pairs): h[386 + n * 24:386 + n * 24 + 24] = num(o) + num(c)
                h[483:495] = num(size)
                h[148:156] = b' ' * 8
                h[148:156] = b'%06o\\0 ' % sum(h)
                out.write(h); out.write(data); out.write(b'\\0' * (-len(data) % 512))
            put(tarfile.TarInfo('ok'), b'1', tarfile.PAX_FORMAT)
            \(item.body)
            out.write(b'\\0' * 1024)
            """
        let archive = directory.path("made.tar")
        try Tool.run("python3", ["-c", program, archive])
        let before = try fileBytes(image)
        let result = try Fixture.diskgraft(
            "untar", image, archive, "--volume", "disk", expect: item.status...item.status)
        #expect(result.errorText.contains(item.says), "\(result.errorText)")
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: image + ".undo"))
    }
}
