internal import Storage
internal import Testing

extension FileSystemConformance {
    /// Seeded series of whatever the file system can do, beside a model: within the transaction, after the commit, and
    /// opened again; the outside judge and the engine's own check agree.
    package func series(seed: UInt64, rounds: Int = 3, steps: Int = 60) throws {
        let device = MemoryDevice(try subject.make(Self.files))
        let first = try openWritable(device)
        var model = TreeModel(
            seed: seed, blockSize: subject.unit, capabilities: first.capabilities)
        model.adopt(
            Self.files,
            permissions: try first.attributes(of: find("boot/menu", in: first)).permissions)
        for round in 0..<rounds {
            let volume = try openWritable(device)
            let before = try TreeSnapshot(volume)
            let transaction = try volume.begin()
            device.clearEvents()
            for _ in 0..<steps { try model.step(transaction, transaction.rootDirectory) }
            try model.check(transaction)
            let prepared = try transaction.prepare()
            #expect(device.events.isEmpty, "something was written before the commit")
            let unchanged = try TreeSnapshot(volume) == before
            #expect(unchanged, "the file system shows what is not committed")
            try prepared.commit()
            #expect(device.events.last == .flush, "the commit ends with a barrier")
            try model.check(volume)
            try model.check(open(MemoryDevice(device.contents)))
            let defects = try subject.defects(device.contents)
            #expect(defects == "", "round \(round)")
            var findings: [Finding] = []
            try subject.driver.check(device) { findings.append($0) }
            #expect(findings.filter { $0.severity == .damage } == [])
            guard defects.isEmpty else { return }
        }
    }

    /// What is refused changes nothing, neither the device nor the transaction.
    package func refusals() throws {
        let device = MemoryDevice(try subject.make(Self.files))
        let volume = try openWritable(device)
        let transaction = try volume.begin()
        let before = try TreeSnapshot(transaction)
        let root = transaction.rootDirectory
        let etc = try find("etc", in: transaction)
        func refused(_ what: String, _ body: () throws -> Void) throws {
            #expect(throws: StorageError.self, "\(what)") { try body() }
            let isSame = try TreeSnapshot(transaction) == before
            #expect(isSame, "\(what) left a trace")
        }
        if let contents = transaction as? any ContentsTransaction {
            try refused("contents of a directory") { try contents.replaceContents(of: etc, with: [1]) }
        }
        if let names = transaction as? any NamesTransaction {
            let new = NewFileAttributes(permissions: 0o644)
            let fstab = Array("fstab".utf8)
            try refused("a name that is taken") {
                _ = try names.createFile(fstab, in: etc, contents: [], attributes: new)
            }
            try refused("a directory of a name that is taken") {
                _ = try names.createDirectory(Array("etc".utf8), in: root, attributes: new)
            }
            for name in ["", ".", "..", "a/b", "a\0b", String(repeating: "x", count: 256)] {
                try refused("the name \(name)") {
                    _ = try names.createFile(Array(name.utf8), in: etc, contents: [], attributes: new)
                }
            }
            try refused("a directory with files") { try names.remove(Array("etc".utf8), in: root) }
            try refused("a name that is not there") { try names.remove(Array("none".utf8), in: etc) }
            try refused("a directory into itself") {
                try names.rename(Array("etc".utf8), in: root, to: Array("in".utf8), in: etc)
            }
            try refused("a file over a directory") {
                try names.rename(fstab, in: etc, to: Array("boot".utf8), in: root)
            }
        }
        // Nothing was asked for in the end.
        try transaction.prepare().commit()
        #expect(try TreeSnapshot(open(MemoryDevice(device.contents))) == before)
        #expect(try subject.defects(device.contents) == "")

        // A change made for a volume that has changed since is not written over it.
        if let late = try volume.begin() as? any ContentsTransaction,
            let other = try volume.begin() as? any ContentsTransaction
        {
            let menu = try find("boot/menu", in: late)
            try late.replaceContents(of: menu, with: TreeModel.contents(9))
            try other.replaceContents(of: menu, with: TreeModel.contents(10))
            let prepared = try late.prepare()
            try other.prepare().commit()
            #expect(throws: StorageError.self, "a stale change was written") { try prepared.commit() }
            let again = try open(MemoryDevice(device.contents))
            #expect(try again.contents(of: find("boot/menu", in: again)) == TreeModel.contents(10))
        }
    }

    /// The power fails at every write and flush of each kind of change.
    package func powerCuts() throws {
        let bytes = try subject.make(Self.files)
        let old = try TreeSnapshot(open(MemoryDevice(bytes)))
        for (name, change) in Self.changes {
            let device = MemoryDevice(bytes)
            let volume = try openWritable(device)
            let transaction = try volume.begin()
            guard try change(self, transaction) else { continue }
            try transaction.prepare().commit()
            let new = try TreeSnapshot(volume)
            let events = device.events
            // All of them where they are few; the rest is for each file system's own tests.
            let step = max(1, events.count / 16)
            for count in stride(from: 0, through: events.count, by: step) {
                let state = MemoryDevice.replay(bytes, events.prefix(count))
                let mended = try subject.repaired(state)
                let defects = try subject.defects(mended)
                #expect(defects == "", "\(name), cut after \(count) of \(events.count)")
                guard subject.isAtomic, defects.isEmpty else { continue }
                let found = try TreeSnapshot(open(MemoryDevice(mended)))
                #expect(found == old || found == new, "\(name), cut after \(count) is neither old nor new")
            }
        }
    }

    /// One of each kind; false where the file system cannot.
    private static let changes:
        [(String, @Sendable (FileSystemConformance, any FileSystemTransaction) throws -> Bool)] = [
            (
                "replace",
                { suite, transaction in
                    guard let transaction = transaction as? any ContentsTransaction else { return false }
                    try transaction.replaceContents(
                        of: suite.find("boot/menu", in: transaction), with: TreeModel.contents(9000))
                    return true
                }
            ),
            (
                "write and cut",
                { suite, transaction in
                    guard let transaction = transaction as? any RangesTransaction else { return false }
                    try transaction.write(
                        TreeModel.contents(5000), to: suite.find("boot/menu", in: transaction), at: 100)
                    try transaction.truncate(suite.find("boot/kernel", in: transaction), to: 3000)
                    return true
                }
            ),
            (
                "punch",
                { suite, transaction in
                    guard let transaction = transaction as? any HolesTransaction else { return false }
                    try transaction.punchHole(
                        in: suite.find("boot/kernel", in: transaction), 5000..<30_000)
                    return true
                }
            ),
            (
                "create, move, remove",
                { suite, transaction in
                    guard let transaction = transaction as? any NamesTransaction else { return false }
                    let etc = try suite.find("etc", in: transaction)
                    let boot = try suite.find("boot", in: transaction)
                    _ = try transaction.createFile(
                        Array("a new file".utf8), in: etc, contents: TreeModel.contents(9000),
                        attributes: NewFileAttributes(permissions: 0o600))
                    let made = try transaction.createDirectory(
                        Array("made".utf8), in: etc, attributes: NewFileAttributes(permissions: 0o700))
                    let moved = try transaction.rename(
                        Array("menu".utf8), in: boot, to: Array("menu.old".utf8), in: made)
                    #expect(try transaction.contents(of: moved) == TreeModel.contents(700))
                    try transaction.remove(Array("kernel".utf8), in: boot)
                    return true
                }
            ),
            (
                "rename over another",
                { suite, transaction in
                    guard let transaction = transaction as? any NamesTransaction else { return false }
                    let boot = try suite.find("boot", in: transaction)
                    try transaction.rename(
                        Array("kernel".utf8), in: boot, to: Array("menu".utf8), in: boot)
                    return true
                }
            ),
            (
                "link",
                { suite, transaction in
                    guard let transaction = transaction as? any LinksTransaction else { return false }
                    let etc = try suite.find("etc", in: transaction)
                    try transaction.link(
                        suite.find("boot/menu", in: transaction), as: Array("second".utf8), in: etc)
                    _ = try transaction.createSymbolicLink(
                        Array("soft".utf8), in: etc, target: Array("../boot/menu".utf8),
                        attributes: NewFileAttributes(permissions: 0o777))
                    return true
                }
            ),
            (
                "attributes",
                { suite, transaction in
                    let menu = try suite.find("boot/menu", in: transaction)
                    if let transaction = transaction as? any ExtendedAttributesTransaction {
                        try transaction.setExtendedAttribute(
                            Array("user.note".utf8), of: menu, to: TreeModel.contents(90))
                    }
                    guard let settable = transaction as? any AttributesTransaction else { return false }
                    try settable.setAttributes(
                        of: menu,
                        AttributeChange(
                            permissions: 0o640, owner: 12, group: 13,
                            modificationTime: Timestamp(seconds: 1_000_000_000)
                        ).limited(to: suite.subject.driver.capabilities.settableAttributes))
                    return true
                }
            ),
            (
                "label",
                { suite, transaction in
                    guard let transaction = transaction as? any LabelTransaction else { return false }
                    try transaction.setLabel(Array("CUT".utf8))
                    return true
                }
            ),
        ]
}
