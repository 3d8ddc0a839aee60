internal import Storage

extension XFSFileSystem {
    /// What the log of the volume on `device` does when it is replayed; nil when there is nothing to replay. `self` shows
    /// the volume without the replay.
    func replayLog(on device: any BlockDevice) throws(StorageError) -> LogReplay? {
        do throws(StorageError) {
            guard let ring = try logRing(on: device) else {
                warn("its log lies on another device: changes that only the log has are not shown")
                return nil
            }
            let state = try ring.state()
            guard !state.isClean else { return nil }
            let replay = try LogReplay(
                LogReader(ring: ring, state: state, geometry: geometry), on: device)
            replay.warn("the log has changes that were replayed in memory; GRUB does not see them")
            return replay
        } catch {
            guard options.ignoresChecksums, error.kind == .corrupt else { throw error }
            warn("the log was left out: \(error.message)")
            return nil
        }
    }
}
