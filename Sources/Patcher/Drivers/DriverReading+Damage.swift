internal import GuestTree
internal import Initramfs
internal import KernelModules
internal import Storage

/// What Linux makes of an initramfs that it does not unpack to its end (init/initramfs.c).
extension DriverReading {
    /// What is wrong with an entry's initramfs; nil where nothing is.
    func damage(_ evidence: Evidence) throws(StorageError) -> InitramfsDamage? {
        let image = evidence.isUnified ? nil : evidence.files.last?.displayPath
        guard let failure = evidence.contents?.failure else {
            return evidence.refusal.map { InitramfsDamage(image: image, why: $0, fate: .notRead) }
        }
        return InitramfsDamage(image: image, why: failure.message, fate: try fate(failure, evidence))
    }

    private func fate(
        _ failure: StorageError, _ evidence: Evidence
    ) throws(StorageError) -> InitramfsDamage.Fate {
        guard let contents = evidence.contents else { return .unused }
        // Linux takes such names, and nobody else's initramfs has them.
        if failure.isCode(InitramfsCode.nameLeadsOut) || failure.kind == .refused {
            return contents.isBehindSystem ? .unknown : .notRead
        }
        // Of an archive as it lies there Linux does not see that it ends early.
        let isUnseen = failure.isCode(InitramfsCode.cutShort) && contents.members.last?.codec == nil
        guard contents.file(at: "init") != nil else { return .unused }
        if !isUnseen, try throwsAway(evidence) { return .unused }
        if contents.isBehindSystem { return contents.isChangedBehind ? .unknown : .endsEarly }
        return contents.isCutOff ? .cutOff : .endsEarly
    }

    /// Before 2.6.29 Linux looked at all of it first, and took it for a disk's image or stopped; until 5.9 it emptied the
    /// root again before it took it for one, where RAM disks are built in.
    private func throwsAway(_ evidence: Evidence) throws(StorageError) -> Bool {
        guard let version = BootEntry.version(evidence.release) else { return false }
        if isVersion(version, below: [2, 6, 29]) { return true }
        guard isVersion(version, below: [5, 9]), let tree = evidence.tree else { return false }
        do {
            return try tree.configuration()?["CONFIG_BLK_DEV_RAM"] == .builtin
        } catch {
            guard error.isAboutImage else { throw error }
            return false
        }
    }
}
