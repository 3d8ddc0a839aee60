internal import HostIO
internal import Storage

/// A change that was cut off, or whose undoing was, over all the host files that it may have begun on.
struct CutOffChange {
    /// A file that is half done as far as its record knows.
    struct Member {
        let file: any ByteFile
        let record: UndoRecord
        let log: any ByteFile
        let comparison: UndoComparison
        /// It holds what it held before earlier changes too: a backup was put back, and nothing of this change is in it.
        let isOlder: Bool

        init(_ file: any ByteFile, _ record: UndoRecord, _ log: any ByteFile) throws(StorageError) {
            self.file = file
            self.record = record
            self.log = log
            let comparison = try UndoComparison(file, record, log)
            self.comparison = comparison
            let isUnknown = comparison.firstUnknown != nil || comparison.hasUnknownLength
            isOlder = isUnknown ? try record.countOfChangesBefore(file, log) != nil : false
        }

        /// Nothing has to be put back.
        var isAsBefore: Bool { comparison.isOld || isOlder }

        /// Whether its record calls another file of the change so.
        func names(_ sibling: String) -> Bool {
            comparison.siblings.contains { $0.hostBytes == sibling.hostBytes }
        }
    }

    private(set) var members: [Member] = []
    /// Another file proves that the change is complete, or that nothing has been put back yet.
    private var isDecided = false
    /// A file on which the change has not begun, or which has gone back.
    private var isPartial = false
    /// A file is not where the records of the others say.
    private var hasMoved = false
    /// A copy stands for one that is where they say.
    private var hasStandIn = false
    private let open: [any ByteFile]
    private let place: UndoPlace

    /// Compares `file`, whose newest segment is `record`, and every other host file of the transaction. Files in `open`
    /// are used as they are; others are opened, which locks them.
    ///
    /// Throws `refused`, code "sibling-missing", where a file is out of reach, and what comparing throws.
    init(
        _ file: any ByteFile, _ record: UndoRecord, among open: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) {
        self.open = open
        self.place = place
        try add(file, record)
        var seen: Set<[UInt8]> = []
        var next = 0
        while next < members.count {
            let member = members[next]
            next += 1
            // The one that does not name it is the one that is called so.
            for sibling in member.comparison.siblings where seen.insert(sibling.hostBytes).inserted {
                guard members.allSatisfy({ $0.names(sibling) }) else { continue }
                try addSibling(sibling, of: member)
            }
        }
        for sibling in seen {
            let path = String(hostBytes: sibling)
            guard !members.contains(where: { HostDirectory.isSame($0.file.path, path) }) else { continue }
            // One that is there with its record, and stands beside a copy of itself, still needs the others'.
            let other = try UndoRecord.readIfThere(
                for: path, transactionID: record.transactionID, in: place)
            guard let other, try other.isOfFile(at: path) else {
                hasMoved = true
                continue
            }
            hasStandIn = true
        }
    }

    /// Compares one file with a record that is held, wherever both are, and no other file.
    init(_ file: any ByteFile, _ record: UndoRecord, _ log: any ByteFile) throws(StorageError) {
        open = []
        place = UndoPlace()
        members = [try Member(file, record, log)]
    }

    private mutating func add(_ file: any ByteFile, _ record: UndoRecord) throws(StorageError) {
        members.append(try Member(file, record, record.openLog()))
    }

    private mutating func addSibling(_ sibling: String, of member: Member) throws(StorageError) {
        let record = member.record
        let found = try SiblingSearch(open, in: place).path(of: sibling, namedBy: record, of: member.file)
        let path = found ?? UndoRecord.path(of: sibling, beside: member.file)
        // One that names it has its name now.
        let isTaken = members.contains { HostDirectory.isSame($0.file.path, path) }
        guard let found, !isTaken,
            let other = try UndoRecord.read(for: found, transactionID: record.transactionID, in: place)
        else {
            // What was taken back leaves its record in the end; hot segments all stay until then.
            var isThere = false
            if !isTaken { isThere = try HostDirectory.isThere(path) }
            guard record.state == .hot || !isThere else { return }
            // What this is a copy of was settled, in all its files: nothing tells of which state the others are.
            if isThere, HostDirectory.isSame(path, sibling), !record.isOf(member.file),
                case .none = try UndoMark.find(on: path)
            {
                isPartial = true
                return
            }
            // The other files were settled when it was set aside, and may have gone back.
            // And by a record that was set aside, the file that was moved away goes back as well.
            let directory = HostPath.directory(of: place.recordPath(for: path))
            guard !record.isAside,
                try UndoRecord.setAside(record.transactionID, in: [directory]) == nil
            else {
                isPartial = true
                return
            }
            throw try missing(sibling, isThere ? path : nil, of: member)
        }
        guard try HostDirectory.isThere(found) else { throw try missing(sibling, nil, of: member) }
        switch other.state {
        // That a copy is complete says nothing of what was changed: contents decide then. That all of a copy's files were
        // being marked before a byte went back says it of a copy too.
        case .done:
            var isWholeCopy = record.state == .undoing && record.isExactlyOf(member.file)
            if isWholeCopy { isWholeCopy = try other.isOfFile(at: found) }
            if !other.header.isOfAnother || isWholeCopy { isDecided = true }
        case .rolledBack, .prepared: isPartial = true
        case .hot, .undoing:
            let known = open.first { HostDirectory.isSame($0.path, found) }
            if known == nil { try requireNamed(found, other, sibling, of: member) }
            let file =
                if let known { known } else { try HostFile.open(found, access: .write) as any ByteFile }
            try add(file, other)
        }
    }

    /// Nobody's device is written that was not named, where it is attached under another name than then, or is not known to be
    /// the one that was changed, or stands beside a clone.
    private func requireNamed(
        _ path: String, _ record: UndoRecord, _ sibling: String, of member: Member
    ) throws(StorageError) {
        guard HostFile.deviceNumber(of: path) != nil else { return }
        var isWhereItWas = HostDirectory.isSame(path, sibling)
        if isWhereItWas { isWhereItWas = try record.isOfFile(at: path) }
        guard !isWhereItWas || !member.record.isOf(member.file) else { return }
        throw StorageError(
            .refused, UndoCode.siblingNotGiven,
            "a change over several devices was cut off, and the other is \(path.hostBytes.shellText) now: they go back together, once "
                + "both are named", path: member.record.path, remedies: [.giveDisk(path: path)])
    }

    /// The refusal where another file of the change, or its record, is out of reach; what is there of the two is named.
    private func missing(
        _ sibling: String, _ path: String?, of member: Member
    ) throws(StorageError) -> StorageError {
        let search = SiblingSearch(open, in: place)
        let name = (path ?? sibling).hostBytes.shellText
        var lonely: UndoRecord?
        // Those of the original are not a copy's.
        if path == nil, member.record.isOf(member.file) {
            for directory in search.directories(sibling, member.record, member.file) where lonely == nil {
                lonely = try search.records(of: member.record, called: sibling, in: directory).first
            }
        }
        let start = "a change over several files was cut off, and"
        let (sentence, remedies): (String, [Remedy]) =
            if path != nil {
                (
                    "\(start) the record of \(name) is not there: put it back beside it, from where the images were copied or "
                        + "moved from", []
                )
            } else if let lonely {
                (
                    "\(start) the file that the record \(lonely.path.hostBytes.shellText) is of, \(name) then, is not beside it, nor "
                        + "among those that are given: it goes back with the others, wherever it is now",
                    [.giveDisk(path: nil)]
                )
            } else {
                (
                    "\(start) neither \(name) nor its record is there: they go back with the others, wherever they are now",
                    [.giveDisk(path: nil)]
                )
            }
        return StorageError(
            .refused, UndoCode.siblingMissing, sentence, path: member.record.path, remedies: remedies)
    }

    /// Ends it: as done where it is complete, else as before it. Nothing is written, to no file, unless all contents of
    /// all files are known, or `force` says that this does not matter. Returns the files that are as before then; none
    /// when the change stands. `kept` hears of records that stay, under another name, for the file that was changed;
    /// `shortening` is asked before a disk becomes shorter.
    ///
    /// Throws `refused`, code "unknown-contents" or "unknown-length".
    func settle(
        force: UndoForce, kept: (String) -> Void, shortening: DiskLengthCheck = { (_, _, _) in }
    ) throws(StorageError) -> [any ByteFile] {
        try requireSettleable(force: force, shortening: shortening)
        if isComplete {
            return try Cancellation.shielding { () throws(StorageError) in
                try end(as: .done, kept: kept)
                return []
            }
        }
        // Half taken back is neither, but the record knows: what takes long may be stopped, and goes on another time.
        return try Cancellation.delaying(by: UndoRecord.takingBackTime) { () throws(StorageError) in
            try decide(kept: kept)
        }
    }

    /// Another file says that the change is complete. Hot: all files were flushed before the first was marked done. Being undone:
    /// nothing has been put back yet, because all are marked first. A record that was set aside was settled for another file,
    /// which says nothing of this one.
    private var isComplete: Bool {
        isDecided && members.allSatisfy { !$0.record.isAside || $0.comparison.isNew }
    }

    /// Throws what `settle` refuses by; nothing has been written then.
    func requireSettleable(force: UndoForce, shortening: DiskLengthCheck) throws(StorageError) {
        guard !isComplete else {
            for member in members where !force.reaches(member.record, member.file) {
                try requireOfOneTime(member)
            }
            return
        }
        // Nothing would be put back, whatever has become of what the change relied on.
        guard members.contains(where: { !$0.isAsBefore }) else { return }
        // What the command line does not lead to is nobody's to write over.
        let held = members.filter { !(force.reaches($0.record, $0.file) && isGiven($0.file)) }
        for member in held { try requireKnown(member) }
        guard !held.isEmpty, !isWritten,
            let length = members.lazy.compactMap(\.record.header.diskLengthBefore).first
        else { return }
        try shortening(members.map(\.file.path), length, true)
    }

    /// Nothing was left to do but to say so.
    private var isWritten: Bool {
        !isPartial && members.allSatisfy { $0.record.state == .hot && $0.comparison.isNew }
    }

    /// A file that holds old sectors and nothing unknown was not complete when another was: they are from snapshots, or backups,
    /// of different times.
    private func requireOfOneTime(_ member: Member) throws(StorageError) {
        let comparison = member.comparison
        guard !comparison.isNew, comparison.firstUnknown == nil, !comparison.hasUnknownLength else { return }
        throw StorageError(
            .refused, UndoCode.otherTime,
            "a change over several files is complete in another of them, and here it was cut off: the files are not of one time; "
                + "restore all of them, with their records, from one", offset: comparison.firstNotNew,
            path: member.file.path, remedies: [.discardUndo])
    }

    /// Those in which nothing has to be put back.
    var filesAsBefore: [any ByteFile] { members.filter(\.isAsBefore).map(\.file) }

    /// Whether the file is one of those that were compared.
    func covers(_ file: any ByteFile) -> Bool {
        members.contains { $0.file === file || HostDirectory.isSame($0.file.path, file.path) }
    }

    private func isGiven(_ file: any ByteFile) -> Bool {
        open.contains { HostDirectory.isSame($0.path, file.path) } || members.first?.file === file
    }

    private func decide(kept: (String) -> Void) throws(StorageError) -> [any ByteFile] {
        if members.contains(where: { !$0.isAsBefore }) {
            guard !isWritten else {
                try end(as: .done, kept: kept)
                return []
            }
            try HostFile.requireNotUsedByKernel(members.map { RecordedFile.below($0.file) })
            for member in members where !member.isOlder {
                try member.record.restore(member.file, member.log)
            }
        }
        try end(as: .rolledBack, kept: kept)
        return members.map(\.file)
    }

    private func end(as state: UndoRecord.State, kept: (String) -> Void) throws(StorageError) {
        for member in members {
            // As a change that was not cut off leaves it: from here on the mark does not lead to the record any more.
            if state == .done { try? UndoMark.setPlace(on: member.file, member.record.path) }
            if let path = try member.record.end(as: state, in: member.file, member.log) {
                kept(path)
            }
        }
        for member in members { try UndoMark.clear(on: member.file, member.record.transactionID) }
        // What was set aside, or is found by a mark alone, has served its purpose once it says so.
        for member in members
        where state == .rolledBack
            && (hasMoved || hasStandIn && !member.record.isExactlyOf(member.file) || member.record.isAside
                || member.record.path.hostBytes != place.recordPath(for: member.file.path).hostBytes)
        {
            try member.record.remove(from: member.file)
        }
    }

    private func requireKnown(_ member: Member) throws(StorageError) {
        let comparison = member.comparison
        let header = member.record.header
        guard comparison.firstUnknown != nil || comparison.hasUnknownLength, !member.isOlder else { return }
        try member.record.requireNotElsewhere(member.file)
        let isSame = member.record.isOf(member.file)
        let other =
            isSame
            ? "something else has written to it since"
            : member.file.hasFixedLength
                ? "it may be another device that has got the name, or something else has written to it since"
                : "it is not the file that was changed, but another of that name or a copy that something else has written to"
        let remedies: [Remedy] =
            isGiven(member.file)
            ? (isSame ? [.discardUndo, .forceUndo] : member.record.remedies(besideAnother: member.file))
            : [.giveDisk(path: member.file.path)]
        guard let offset = comparison.firstUnknown else {
            throw StorageError(
                .refused, UndoCode.unknownLength,
                "a change was cut off, and now the file is \(member.file.byteCount) bytes long, which it was at no "
                    + "time of the change (\(header.lengthLeast) to \(header.lengthMost)): \(other)",
                field: "length", path: member.file.path, remedies: remedies)
        }
        throw StorageError(
            .refused, UndoCode.unknownContents,
            "a change was cut off, and here the file holds what it held neither before nor at any time of the change: "
                + "\(other)", offset: offset, path: member.file.path,
            remedies: remedies)
    }
}
