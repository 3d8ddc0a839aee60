import Foundation
import TestSupport

/// Volumes of a host's tree, some of whose names were changed to what no path can have.
enum ExtractionVolume: CaseIterable {
    case ext4, xfs, xfsWithChecksums, fat, fatShort

    var isFAT: Bool { self == .fat || self == .fatShort }
    private var isXFS: Bool { self == .xfs || self == .xfsWithChecksums }

    var isThere: Bool {
        switch self {
        case .ext4: true
        case .xfs, .xfsWithChecksums: Tool.has("mkfs.xfs")
        case .fat, .fatShort: Tool.has("mkfs.vfat", "mcopy")
        }
    }

    /// The name, of no other file, that a hostile one is put over. XFS packs names: it is as long there.
    func placeholder(_ index: Int, for name: [UInt8]) -> String {
        // No long name is made for it.
        if self == .fatShort { return "ZZ\(1000 + index)Q" }
        // Long enough for every hostile name.
        guard isXFS else { return "ZZ\(1000 + index)zzzzzz" }
        switch name.count {
        case 1: return "~"
        case 2: return "Z" + String(UnicodeScalar(UInt8(index < 26 ? 65 + index : 71 + index)))
        default: return "Z\(10 + index)" + String(repeating: "z", count: name.count - 3)
        }
    }

    /// XFS without checksums, and with them put right; of FAT the long names, whose sum is of the short ones, and those that have none.
    func volume(
        of tree: String, names: [String: [UInt8]], in directory: TemporaryDirectory
    ) throws -> String {
        let image = try directory.sparse("fs.img", byteCount: isFAT ? 4 << 20 : 32 << 20)
        let words = names.map {
            "\($0.key)=\($0.value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())"
        }
        try Tool.run(
            "python3",
            ["-c", Self.script, "\(self)", tree, image, directory.path("plan")]
                + words.sorted())
        return image
    }

    private static let script = #"""
        import os, stat, subprocess, sys
        kind, tree, image, plan = sys.argv[1:5]
        def put(text):
            with open(plan, 'w') as f: f.write(text)
        def lines(folder):
            for name in sorted(os.listdir(folder)):
                path = f'{folder}/{name}'
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode): yield f'{name} l--777 0 0 {os.readlink(path)}'
                elif stat.S_ISDIR(mode):
                    yield f'{name} d--755 0 0'
                    yield from lines(path)
                    yield '$'
                else: yield f"{name} -{'ug' if mode & stat.S_ISUID else '--'}755 0 0 {path}"
        isXFS = kind.startswith('xfs')
        def crc32c(data):
            crc = 0xffffffff
            for byte in data:
                crc ^= byte
                for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
            return (crc ^ 0xffffffff).to_bytes(4, 'little')
        if isXFS:
            sums = int(kind != 'xfs')
            more = ['-i', 'size=512'] if sums else []
            put('\n'.join(['/', '0 0', 'd--755 0 0', *lines(tree), '$', '']))
            small = dict(os.environ, TEST_DIR='/', TEST_DEV='/', QA_CHECK_FS='/')
            subprocess.run(['mkfs.xfs', '-q', '-f', '-d', 'agcount=2', '-m', f'crc={sums}', *more, '-n', 'ftype=1', '-p', plan, image],
                           env=small, check=True, stderr=subprocess.DEVNULL)
        else:
            subprocess.run(['mkfs.vfat', image], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(['mcopy', '-s', '-i', image, f'{tree}/top', '::'], check=True)
        with open(image, 'r+b') as f:
            space = f.read()
            def patch(place, bytes):
                f.seek(place)
                f.write(bytes)
            changed = set()
            for word in sys.argv[5:]:
                old, new = word.split('=')
                new = bytes.fromhex(new)
                count = 0
                if isXFS:
                    old = old.encode()
                    place = space.find(old)
                    while place >= 0:
                        # In an inode, or in a block of names.
                        if space[place - 3] == len(old) or space[place - 1] == len(old):
                            patch(place, new)
                            count += 1
                            changed.add(place)
                        place = space.find(old, place + 1)
                elif kind == 'fatShort':
                    short = old.encode().ljust(11)
                    place = space.find(short)
                    while place >= 0:
                        if place % 32 == 0:
                            patch(place, new.ljust(11)[:11])
                            count += 1
                        place = space.find(short, place + 1)
                else:
                    def pieces(units):
                        units = (units + [0] + [0xffff] * 13)[:13]
                        two = b''.join(unit.to_bytes(2, 'little') for unit in units)
                        return two[:10], two[10:22], two[22:]
                    first, second, third = pieces(list(old.encode()))
                    place = space.find(first)
                    while place >= 0:
                        if space[place + 13:place + 25] == second and space[place + 27:place + 31] == third:
                            parts = pieces(list(new))
                            for start, part in zip((place, place + 13, place + 27), parts): patch(start, part)
                            count += 1
                        place = space.find(first, place + 1)
                if count != 1: print(f'{old} is there {count} times', file=sys.stderr)
            # The sums of inodes and of blocks of names.
            for size, magics, sum in ((512, (b'IN',), 100), (4096, (b'XDB3', b'XDD3'), 4)) if kind == 'xfsWithChecksums' else ():
                for start in {place // size * size for place in changed}:
                    f.seek(start)
                    block = bytearray(f.read(size))
                    if not block.startswith(magics): continue
                    block[sum:sum + 4] = bytes(4)
                    block[sum:sum + 4] = crc32c(block)
                    patch(start, block)
        """#
}
