"""What forecasts would have been worth on a past: reading a Prometheus' history, and the report in HTML.

The engine's run over a folder of traces is `predictor.backtest`; here is what stands around it. May import every
package.
"""
