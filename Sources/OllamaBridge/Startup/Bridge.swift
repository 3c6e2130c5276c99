import Fetch
import Foundation
import HummingbirdCore
import Images
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Translate
import UnixSignals

/// A bridge with everything wired together.
struct Bridge: Sendable {
    let settings: Settings
    let file: CatalogFile
    let log: Logger

    init(settings: Settings) throws {
        self.settings = settings
        file = try CatalogFile.read(named: settings.modelsPath, environment: settings.environment)
        var log = Logger(label: "ollama-bridge", factory: { StreamLogHandler.standardError(label: $0) })
        log.logLevel = settings.logLevel
        self.log = log
    }

    /// Serves until SIGTERM or SIGINT and then until the running answers are finished or the drain time is over.
    func run() async throws {
        for warning in file.catalog.warnings { log.notice("\(warning)") }
        let workers = PictureWorkers()
        let fetcher = Fetcher(FetcherConfiguration(userAgent: "OllamaBridge/\(Version.bridge)"))
        let imageFetcher = ImageFetcher(configuration: try imageFetching(file.catalog.images))
        let catalog = CatalogStore(file.catalog)
        // Unstructured, so that a graceful shutdown reaches the demo only after the answers that still need it are finished.
        let demo = try await DemoServer.start(log: log)
        defer { demo.task.cancel() }
        catalog.update { $0.setBaseURL("http://127.0.0.1:\(demo.port)/v1", ofProvider: "demo") }

        let discovery = ModelDiscovery(catalog: catalog, fetcher: fetcher, log: log)
        let routes = routes(catalog: catalog, discovery: discovery, workers: workers, fetcher: fetcher, imageFetcher: imageFetcher)
        let server = server(routes) { port in Banner.print(settings: settings, port: port, file: file, catalog: catalog.current) }
        var services = ServiceGroupConfiguration(
            services: [server, discovery], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(log))
        services.maximumGracefulShutdownDuration = settings.drain
        do {
            try await ServiceGroup(configuration: services).run()
        } catch let error as IOError {
            throw startupError(error)
        } catch is CancellationError {
            log.warning("Answers were still running when the drain time was over")
        }
        await fetcher.shutdown()
        await imageFetcher.shutdown()
        try await workers.stop()
    }

    private func routes(
        catalog: CatalogStore, discovery: ModelDiscovery, workers: PictureWorkers, fetcher: Fetcher, imageFetcher: ImageFetcher
    ) -> Routes {
        let bodies = RequestBodies(limits: ListenerLimits(), workers: workers)
        let running = RunningModels(standard: keepAlive)
        let health = ProviderHealth()
        let chooser = RouteChooser(health: health)
        let upstream = UpstreamCall(
            fetcher: fetcher, learned: LearnedStore(), health: health, limits: FetchLimits(), retries: RetryPolicy())
        let describer = Describer(catalog: catalog, upstream: upstream)
        let converter = PictureConverter(
            workers: workers, fetcher: imageFetcher, cache: PictureCache(limit: catalog.current.images.cacheBytes), limits: .standard)
        let relay = Relay(
            catalog: catalog, running: running, images: ImageStage(converter: converter), upstream: upstream, chooser: chooser,
            describer: describer)
        var routes = Routes()
        InferenceEndpoints(relay: relay, bodies: bodies).register(in: &routes)
        DiscoveryEndpoints(catalog: catalog, running: running, discovery: discovery, bodies: bodies, modifiedAt: file.modifiedAt)
            .register(in: &routes)
        EmbedEndpoints(catalog: catalog, running: running, upstream: upstream, chooser: chooser, bodies: bodies)
            .register(in: &routes)
        ManagementEndpoints(catalog: catalog, bodies: bodies).register(in: &routes)
        OpenAIEndpoints(
            catalog: catalog, running: running, images: relay.images, upstream: upstream, chooser: chooser, describer: describer,
            bodies: bodies
        ).register(in: &routes)
        ExplainEndpoint(catalog: catalog, images: relay.images, bodies: bodies).register(in: &routes)
        return routes
    }

    private func server(_ routes: Routes, started: @escaping @Sendable (Int) -> Void) -> any Service {
        let limits = ListenerLimits()
        let guards = FrontDoor.Guards(
            hosts: HostCheck(ownNames: [settings.address.host.lowercased(), ProcessInfo.processInfo.hostName.lowercased()]),
            origins: CrossOrigin(configured: settings.origins), keys: ClientKeys(settings.clientKeys))
        let door = FrontDoor(routes: routes, guards: guards, limits: limits, log: log)
        return BridgeChannel(limits: limits) { request, writer, channel in
            try await door.serve(request, writer, channel)
        }.server(
            configuration: ServerConfiguration(address: .hostname(settings.address.host, port: settings.address.port)),
            onServerRunning: { channel in started(channel.localAddress?.port ?? settings.address.port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet(log))
    }

    private func imageFetching(_ settings: ImageSettings) throws -> ImageFetchConfiguration {
        let allowed: AllowedHosts
        do {
            allowed = try AllowedHosts(self.settings.allowedImageHosts)
        } catch {
            throw StartupError("\(error): --allow-image-host takes a host name, *.suffix, address or network such as 10.0.0.0/8.")
        }
        return ImageFetchConfiguration(
            allowed: allowed, userAgent: "OllamaBridge", totalTimeout: .seconds(settings.fetchTimeoutSeconds),
            maxBytes: DecodeLimits.standard.bytes)
    }

    private var keepAlive: KeepAlive {
        settings.environment["OLLAMA_KEEP_ALIVE"].flatMap(KeepAlive.init(text:)) ?? .duration(.seconds(300))
    }

    /// The server libraries' own lines are for their developers.
    private func quiet(_ log: Logger) -> Logger {
        var quiet = log
        quiet.logLevel = log.logLevel <= .debug ? log.logLevel : .critical
        return quiet
    }

    private func startupError(_ error: IOError) -> StartupError {
        let place = settings.address.authority(port: settings.address.port)
        switch error.errnoCode {
        case EADDRINUSE:
            return StartupError("\(place) is in use, perhaps by Ollama itself or by another bridge; stop that one or choose a port with --port.")
        case EACCES: return StartupError("\(place) may not be listened on by this user; choose a port above 1023 with --port.")
        case EADDRNOTAVAIL: return StartupError("\(settings.address.host) is no address of this machine; choose one with --host.")
        default: return StartupError("Cannot listen on \(place): \(error.localizedDescription)")
        }
    }
}
